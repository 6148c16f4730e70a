import { expect, test } from 'vitest';
import { mountOf, parseMountinfo } from './mountinfo.ts';

const mounts = parseMountinfo(
  [
    String.raw`22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw`,
    String.raw`23 22 0:21 / /tmp rw - tmpfs tmpfs rw`,
    String.raw`24 22 0:22 / /mnt/a\040b\011c rw,relatime shared:2 master:3 - fuse.sshfs host:/ rw,user_id=0`,
    String.raw`25 23 0:23 / /tmp/perf-7.map rw - ext4 /dev/sda1 rw`,
    String.raw`26 22 0:24 / /tmp rw - fuse other rw`,
    '',
  ].join('\n'),
);

test('mounts are read as the kernel writes them', () => {
  expect(mounts.map(({ point, type }) => [point, type])).toEqual([
    ['/', 'ext4'],
    ['/tmp', 'tmpfs'],
    ['/mnt/a b\tc', 'fuse.sshfs'],
    ['/tmp/perf-7.map', 'ext4'],
    ['/tmp', 'fuse'],
  ]);
});

test.each([
  ['/etc/passwd', '/', 'ext4'],
  ['/tmp', '/tmp', 'fuse'],
  ['/tmp/x', '/tmp', 'fuse'],
  ['/tmpx', '/', 'ext4'],
  ['/tmp/perf-7.map', '/tmp/perf-7.map', 'ext4'],
  ['/mnt/a b\tc/d', '/mnt/a b\tc', 'fuse.sshfs'],
])('%j is on %s', (path, point, type) => {
  expect(mountOf(path, mounts)).toEqual({ point, type });
});

test('without mounts the result is null', () => {
  expect(mountOf('/tmp', parseMountinfo(''))).toBeNull();
});
