import { appendFileSync, chownSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { manualClock } from '../../base/clock.ts';
import { milliseconds } from '../../base/units.ts';
import { frameOfMap, isPlain, parsePerfMap, PerfMaps } from './perf-map.ts';

/** Not a pid of any process: pid_max is at most 2^22. */
const PID = 4_194_305;
const MAP = `/tmp/perf-${PID}.map`;

afterEach(() => {
  rmSync(MAP, { force: true });
});

test('entries, and lines that are none', () => {
  expect(parsePerfMap('7f10 b py::f:/a.py\nnonsense\n7f20 1000 py::<lambda>:<string>\nxyz b name\n')).toEqual([
    { start: 0x7f10, end: 0x7f1b, name: 'py::f:/a.py' },
    { start: 0x7f20, end: 0x8f20, name: 'py::<lambda>:<string>' },
  ]);
});

test('Python functions, and others', () => {
  expect(frameOfMap('py::Shop.total:/srv/a b/models.py')).toEqual({
    name: 'Shop.total',
    file: '/srv/a b/models.py',
    language: 'python',
  });
  expect(frameOfMap('py::make.<locals>.inner:<frozen importlib._bootstrap>')).toMatchObject({
    name: 'make.<locals>.inner',
    file: '<frozen importlib._bootstrap>',
  });
  expect(frameOfMap('py::f:relative.py')).toMatchObject({ name: 'f', file: 'relative.py' });
  expect(frameOfMap('LazyCompile:~a /b.js:1')).toMatchObject({ name: 'LazyCompile:~a /b.js:1', language: 'native' });
});

test('a growing map is read further, even after it was removed', () => {
  const clock = manualClock();
  const maps = new PerfMaps(clock);
  expect(maps.find(PID, 0x7f10)).toBeNull();
  writeFileSync(MAP, '7f10 b py::first:/a.py\n7f20 b py::sec');
  // It is not looked for again at every address.
  expect(maps.find(PID, 0x7f15)).toBeNull();
  clock.advance(milliseconds(150));
  expect(maps.find(PID, 0x7f15)?.name).toBe('first');
  expect(maps.find(PID, 0x7f20)).toBeNull();
  appendFileSync(MAP, 'ond:/a.py\n');
  expect(maps.find(PID, 0x7f20)?.name).toBe('second');
  expect(maps.find(PID, 0x7f1b)).toBeNull();
  // A later entry replaces an earlier one at its address.
  appendFileSync(MAP, '7f30 b py::third:/a.py\n7f10 b py::fourth:/a.py\n');
  unlinkSync(MAP);
  expect(maps.find(PID, 0x7f3a)?.name).toBe('third');
  expect(maps.find(PID, 0x7f15)?.name).toBe('fourth');
  maps.close();
});

test('a map that the process has mounted, or whose file system may never answer, is not opened', () => {
  const host = '22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 0:21 / /tmp rw - tmpfs tmpfs rw\n';
  expect(isPlain('/tmp/perf-7.map', host, false)).toBe(true);
  expect(isPlain('/tmp/perf-7.map', '22 1 0:50 / / rw - overlay overlay rw\n', false)).toBe(true);
  for (const more of [
    '24 23 8:1 /etc/shadow /tmp/perf-7.map rw - ext4 /dev/sda1 rw',
    '24 23 0:24 / /tmp rw - fuse.evil evil rw,allow_other',
    '24 23 0:24 / /tmp rw - nfs4 far:/ rw',
    '24 22 0:24 / / rw - fuse evil rw',
  ]) {
    expect(isPlain('/tmp/perf-7.map', `${host}${more}\n`, false), more).toBe(false);
  }
  expect(isPlain('/tmp/perf-8.map', `${host}24 23 8:1 / /tmp/perf-7.map rw - ext4 /dev/sda1 rw\n`, false)).toBe(true);
  // A process that has ended, or must not be inspected.
  expect(isPlain('/tmp/perf-7.map', '', false)).toBe(false);
  // A process in a chroot on this machine.
  expect(isPlain('/tmp/perf-7.map', '', true)).toBe(true);
});

test("a link, a directory and another user's file are not maps", () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'cowherd-maps-'));
  try {
    writeFileSync(path.join(folder, 'map'), '7f10 b py::f:/a.py\n');
    symlinkSync(path.join(folder, 'map'), MAP);
    const maps = new PerfMaps();
    expect(maps.find(PID, 0x7f10)).toBeNull();
    unlinkSync(MAP);
    if (process.getuid?.() === 0) {
      writeFileSync(MAP, '7f10 b py::f:/a.py\n');
      chownSync(MAP, 65_534, 65_534);
      expect(maps.find(PID, 0x7f10)).toBeNull();
    }
    maps.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('any text is read without an exception', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      for (const { name } of parsePerfMap(text)) expect(frameOfMap(name).name.length).toBeLessThanOrEqual(name.length);
    }),
  );
});
