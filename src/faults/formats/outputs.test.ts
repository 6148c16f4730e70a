/** The formats for other tools, from one small profile. */
import { gunzipSync } from 'node:zlib';
import { Profile as Pprof } from 'pprof-format';
import { expect, test } from 'vitest';
import { collapsedOf } from './collapsed.ts';
import { pprofOf } from './pprof.ts';
import { type Fault, Profile } from '../profile/profile.ts';
import type { ProfileFrame } from '../perf/profile-frame.ts';
import { speedscopeOf } from './speedscope.ts';

const LIBRARY = '/usr/lib/libpython3.13.so.1.0';
const native = (name: string): ProfileFrame => ({ name, file: LIBRARY, language: 'native' });
const total: ProfileFrame = { name: 'Shop.total;x', file: '/srv/shop.py', language: 'python' };
const fault = (cause: Fault['cause'], ...frames: ProfileFrame[]): Fault => ({
  pid: 7,
  command: 'python',
  seconds: 0,
  cause,
  frames,
  whole: true,
});

const profile = new Profile();
for (let count = 0; count < 3; count += 1) {
  profile.add(fault('collector', native('update_refs'), native('gc_collect_main'), total, native('_start')));
}
profile.add(fault('refcount', native('Py_INCREF'), total, native('_start')));
profile.add(fault('other'));

test('speedscope', () => {
  const file = speedscopeOf(profile, 'gunicorn, 2 workers', 4096);
  const [shown] = file.profiles;
  const names = (stack: readonly number[] | undefined): unknown[] =>
    (stack ?? []).map((frame) => file.shared.frames[frame]?.name);
  expect(shown?.samples.map(names)).toEqual([
    ['_start', 'Shop.total;x', 'gc_collect_main', 'update_refs'],
    ['_start', 'Shop.total;x', 'Py_INCREF'],
  ]);
  expect(shown?.weights).toEqual([3 * 4096, 4096]);
  expect(shown).toMatchObject({ type: 'sampled', unit: 'bytes', startValue: 0, endValue: 4 * 4096 });
  expect(file.shared.frames).toContainEqual({ name: 'Shop.total;x', file: '/srv/shop.py' });
});

test('pprof', () => {
  const encoded = pprofOf(profile, { takenAt: new Date(5000), seconds: 2, pageBytes: 4096 });
  const decoded = Pprof.decode(gunzipSync(encoded));
  const { strings } = decoded.stringTable;
  const text = (index: number | bigint): string => strings[Number(index)] ?? '';
  const functionName = (location: number | bigint): string => {
    const id = decoded.location.find((each) => each.id === location)?.line[0]?.functionId;
    return text(decoded.function.find((each) => each.id === id)?.name ?? 0);
  };
  expect(decoded.sampleType.map(({ type, unit }) => [text(type), text(unit)])).toEqual([
    ['faults', 'count'],
    ['copied', 'bytes'],
  ]);
  expect(
    decoded.sample.map(({ locationId, value, label }) => [
      locationId.map(functionName),
      value.map(Number),
      label.map(({ key, str }) => `${text(key)}=${text(str)}`),
    ]),
  ).toEqual([
    [['update_refs', 'gc_collect_main', 'Shop.total;x', '_start'], [3, 3 * 4096], ['cause=collector']],
    [['Py_INCREF', 'Shop.total;x', '_start'], [1, 4096], ['cause=refcount']],
  ]);
  expect([decoded.timeNanos, decoded.durationNanos].map(Number)).toEqual([5_000_000_000, 2_000_000_000]);
});

test('collapsed stacks: no name controls the terminal', () => {
  const evil = new Profile();
  evil.add(fault('other', native('lib\u001B[2J\n_start 99')));
  expect(collapsedOf(evil)).toBe(String.raw`lib\x1b[2J\n_start 99 1` + '\n');
});

test('collapsed stacks: no character in a name ends the frame', () => {
  expect(collapsedOf(profile)).toBe(
    '_start;Shop.total:x (/srv/shop.py);gc_collect_main;update_refs 3\n_start;Shop.total:x (/srv/shop.py);Py_INCREF 1\n',
  );
});
