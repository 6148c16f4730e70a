import fc from 'fast-check';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import {
  locateMemoryCgroup,
  ownMemoryCgroup,
  parseLimit,
  parseOomKills,
  readCgroupMemory,
  readCgroupUse,
  readOomKills,
} from './cgroup.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A hierarchy of plain files, to test which files are read and how. */
function hierarchy(files: Record<string, string>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'cowherd-cgroup-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

const unified = '0::/system.slice/app.service\n';
const unifiedMount = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n';

test('version 2', () => {
  expect(locateMemoryCgroup(unified, unifiedMount)).toEqual({
    version: 2,
    folder: '/sys/fs/cgroup/system.slice/app.service',
    mountPoint: '/sys/fs/cgroup',
  });
});

test('version 1 wins if both are mounted, as in this capture of a hybrid system', () => {
  const groups = '8:pids:/\n4:cpu,memory:/jobs/one\n1:name=systemd:/\n0::/\n';
  const mounts =
    '31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n' +
    '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,cpu,memory\n' +
    '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n';
  expect(locateMemoryCgroup(groups, mounts)).toEqual({
    version: 1,
    folder: '/sys/fs/cgroup/memory/jobs/one',
    mountPoint: '/sys/fs/cgroup/memory',
  });
});

test('in a container the mount begins at the cgroup itself, and escapes are decoded', () => {
  const mount = String.raw`30 23 0:26 /docker/abc /sys/fs/a\040b ro - cgroup2 cgroup rw` + '\n';
  expect(locateMemoryCgroup('0::/docker/abc\n', mount)?.folder).toBe('/sys/fs/a b');
  expect(locateMemoryCgroup('0::/docker/abc/inner\n', mount)?.folder).toBe('/sys/fs/a b/inner');
  expect(locateMemoryCgroup('0::/../other\n', mount)?.folder).toBe('/sys/fs/a b');
});

test('null without a controller', () => {
  expect(locateMemoryCgroup('', unifiedMount)).toBeNull();
  expect(locateMemoryCgroup(unified, '')).toBeNull();
});

test('limits in the notation of both versions', () => {
  expect(parseLimit('max\n')).toBeNull();
  expect(parseLimit('9223372036854771712\n')).toBeNull();
  expect(parseLimit('9223372036854710272\n')).toBeNull();
  expect(parseLimit('536870912\n')).toBe(536_870_912);
});

test('OOM kills are told from the other counts', () => {
  expect(parseOomKills('low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 9\n')).toBe(2);
  expect(parseOomKills('oom_kill_disable 0\nunder_oom 1\noom_kill 4\n')).toBe(4);
  expect(parseOomKills('oom_kill_disable 0\nunder_oom 0\n')).toBe(0);
});

test('the smallest limit on the way up counts', () => {
  const mountPoint = hierarchy({
    'outer/memory.max': '1000000\n',
    'outer/inner/memory.max': 'max\n',
    'outer/inner/memory.current': '12345\n',
    'outer/inner/memory.events': 'oom 1\noom_kill 1\n',
  });
  expect(readCgroupMemory({ version: 2, folder: path.join(mountPoint, 'outer/inner'), mountPoint })).toEqual({
    limit: 1_000_000,
    current: 12_345,
    oomKills: 1,
  });
});

test('version 1 has other file names', () => {
  const mountPoint = hierarchy({
    'memory.limit_in_bytes': '9223372036854771712\n',
    'memory.usage_in_bytes': '777\n',
    'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 0\n',
  });
  expect(readCgroupMemory({ version: 1, folder: mountPoint, mountPoint })).toEqual({
    limit: null,
    current: 777,
    oomKills: 0,
  });
  expect(readCgroupMemory({ version: 2, folder: mountPoint, mountPoint })).toBeNull();
});

test("a herd's usage excludes inactive pages of files, and memory.high is a limit too", () => {
  const mountPoint = hierarchy({
    'outer/memory.max': '1000000\n',
    'outer/inner/memory.max': 'max\n',
    'outer/inner/memory.high': '900000\n',
    'outer/inner/memory.current': '500000\n',
    'outer/inner/memory.stat': 'anon 300000\nfile 200000\ninactive_file 150000\nactive_file 50000\n',
    'outer/inner/memory.events': 'oom 7\noom_kill 3\n',
    'one/memory.limit_in_bytes': '700000\n',
    'one/memory.usage_in_bytes': '600000\n',
    'one/memory.stat': 'inactive_file 1\ntotal_inactive_file 100000\n',
    'one/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 5\n',
  });
  const two = { version: 2, folder: path.join(mountPoint, 'outer/inner'), mountPoint } as const;
  expect(readCgroupUse(two)).toEqual({ limit: 900_000, used: 350_000 });
  expect(readOomKills(two)).toBe(3);
  const one = { version: 1, folder: path.join(mountPoint, 'one'), mountPoint } as const;
  expect(readCgroupUse(one)).toEqual({ limit: 700_000, used: 500_000 });
  expect(readOomKills(one)).toBe(5);
  expect(readCgroupUse({ version: 2, folder: mountPoint, mountPoint })).toBeNull();
});

test("without a cgroup, the host's OOM kills are read", () => {
  expect(readOomKills(null)).toBeGreaterThanOrEqual(0);
});

test('any content of the files is parsed without an exception', () => {
  const word = fc.constantFrom('0', '::', '/', ' - cgroup2 x y', ':memory:', '31 23 0:28', '\n', ' ', 'rw');
  fc.assert(
    fc.property(fc.array(word), fc.array(word), (groups, mounts) => {
      locateMemoryCgroup(groups.join(''), mounts.join(''));
    }),
  );
});

test("this process's own cgroup can be read, if the machine has one", () => {
  const own = ownMemoryCgroup();
  const memory = own === null ? null : readCgroupMemory(own);
  expect(memory?.current ?? Infinity).toBeGreaterThan(0);
});
