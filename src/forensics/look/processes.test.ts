import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseMaps, readMaps } from '../../procfs/maps.ts';
import { familyOf, layoutOf, type ProcessEntry, programOf, relativesOf } from './processes.ts';

/** Processes started in the order of their pids. */
const entry = (pid: number, parentPid: number, name = 'gunicorn', startedAt = pid): ProcessEntry => ({
  pid,
  parentPid,
  startedAt,
  name,
});

const prefork = [entry(10, 1), entry(20, 10), entry(21, 10), entry(22, 10)];

test('a parent and the children that it forked', () => {
  expect(familyOf(10, prefork)).toEqual({ reference: 10, workers: [20, 21, 22] });
});

test('a worker and its parent', () => {
  expect(familyOf(21, prefork)).toEqual({ reference: 10, workers: [21] });
});

test('for a process with a parent and children, its children are the workers', () => {
  const all = [...prefork, entry(30, 21)];
  expect(familyOf(21, all)).toEqual({ reference: 21, workers: [30] });
  expect(familyOf(30, all)).toEqual({ reference: 21, workers: [30] });
});

test('a process that never forked', () => {
  expect(familyOf(10, [entry(10, 1)])).toEqual({ kind: 'alone' });
  expect(familyOf(10, [])).toEqual({ kind: 'alone' });
});

test('workers whose parent is gone', () => {
  expect(familyOf(21, [entry(20, 1), entry(21, 1), entry(22, 1)])).toEqual({ kind: 'lost', siblings: [20, 22] });
});

const keeper = entry(5, 4, 'cowherd-keeper');
const herd = [
  keeper,
  entry(10, 5, 'cowherd-mold'),
  entry(20, 5, 'cowherd-worker'),
  entry(30, 5, 'cowherd-mold'),
  entry(40, 5, 'cowherd-worker'),
];

test("a herd's worker adopted by its keeper belongs to the youngest mold that is older", () => {
  expect(familyOf(20, herd)).toEqual({ reference: 10, workers: [20] });
  expect(familyOf(40, herd)).toEqual({ reference: 30, workers: [40] });
  expect(
    familyOf(
      40,
      herd.filter(({ pid }) => pid !== 30),
    ),
  ).toEqual({ reference: 10, workers: [40] });
});

test('a mold and the workers younger than it', () => {
  expect(familyOf(10, herd)).toEqual({ reference: 10, workers: [20, 40] });
  expect(familyOf(30, herd)).toEqual({ reference: 30, workers: [40] });
  expect(familyOf(30, herd.slice(0, 4))).toEqual({ kind: 'alone' });
});

test("a herd's worker without any mold has siblings, not counting the keeper", () => {
  expect(familyOf(40, [keeper, entry(20, 5, 'cowherd-worker'), entry(40, 5, 'cowherd-worker')])).toEqual({
    kind: 'lost',
    siblings: [20],
  });
});

test('a layout is the addresses of the program and the vdso', () => {
  const maps = readFileSync(new URL('../../procfs/captures/python.maps', import.meta.url), 'latin1');
  const layout = layoutOf(parseMaps(maps));
  expect(layout).toBe([0x7f99_cb9a_7000, 0x562c_2b27_3000, 82_465].join(' '));
  // Later mappings don't change the layout; another address of either does.
  const later = `${maps}7fff00000000-7fff00001000 r--p 00000000 fe:00 99 /opt/later.so\n`;
  expect(layoutOf(parseMaps(later))).toBe(layout);
  for (const [from, to] of [
    ['7f99cb9a7000-', '7f99cb9a8000-'],
    ['562c2b273000-', '562c2b272000-'],
  ] as const) {
    expect(layoutOf(parseMaps(maps.replace(from, to)))).not.toBe(layout);
  }
  expect(layoutOf([])).toBeNull();
  expect(layoutOf(parseMaps(maps).filter(({ path }) => path !== '[vdso]'))).toBeNull();
});

test('this process is among its own relatives', () => {
  const layout = layoutOf(readMaps(process.pid)!)!;
  expect(relativesOf(process.pid, layout).map(({ pid }) => pid)).toContain(process.pid);
  expect(programOf(process.pid)).toBe(process.execPath);
  expect(programOf(2 ** 30)).toBeNull();
});
