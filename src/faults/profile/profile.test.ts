import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FAULT_CAUSE_NAMES } from './causes.ts';
import { type Fault, Profile } from './profile.ts';
import type { ProfileFrame } from '../perf/profile-frame.ts';

const frame = (name: string): ProfileFrame => ({ name, file: '/usr/bin/python3', language: 'native' });
const fault = (names: string, given: Partial<Fault> = {}): Fault => ({
  pid: 7,
  command: 'python',
  seconds: 0,
  cause: 'collector',
  frames: names.split(' ').map(frame),
  whole: true,
  ...given,
});
const sum = (buckets: readonly Readonly<Record<string, number>>[]): number =>
  buckets.flatMap((bucket) => Object.values(bucket)).reduce((all, each) => all + each, 0);

test('equal stacks are counted together, with the outermost function first', () => {
  const profile = new Profile();
  for (const names of ['leaf root', 'other root', 'leaf root']) profile.add(fault(names));
  profile.add(fault('leaf root', { cause: 'refcount', whole: false }));
  expect(
    profile.stacks.map(({ frames, cause, count }) => [frames.map((each) => profile.frames[each]?.name), cause, count]),
  ).toEqual([
    [['root', 'leaf'], 'collector', 2],
    [['root', 'other'], 'collector', 1],
    [['root', 'leaf'], 'refcount', 1],
  ]);
  expect(profile.causes).toMatchObject({ collector: 3, refcount: 1 });
  expect(profile.wholeStacks).toBe(3);
});

test('a process has its latest name', () => {
  const profile = new Profile();
  profile.add(fault('f', { pid: 1, command: 'cowherd-mold' }));
  profile.add(fault('f', { pid: 1, command: 'cowherd-worker' }));
  profile.add(fault('f', { pid: 2 }));
  expect(profile.processes).toEqual([
    { pid: 1, command: 'cowherd-worker', count: 2 },
    { pid: 2, command: 'python', count: 1 },
  ]);
});

test('buckets of time get longer with the recording, and reach to its end', () => {
  const profile = new Profile({ buckets: 10 });
  profile.add(fault('f', { seconds: 0.05 }));
  profile.add(fault('f', { seconds: 0.95 }));
  expect(profile.bucketsUntil(1)).toHaveLength(10);
  profile.add(fault('f', { seconds: 1.05 }));
  expect(profile.bucketSeconds).toBe(0.2);
  expect(profile.bucketsUntil(1.2).map(({ collector }) => collector)).toEqual([1, 0, 0, 0, 1, 1]);
  expect(profile.bucketsUntil(100).length).toBeLessThanOrEqual(10);
});

test('too many different stacks are cut to their innermost function', () => {
  const profile = new Profile({ stacks: 2 });
  for (const names of ['a x', 'a y', 'a z', 'a w']) profile.add(fault(names));
  expect(profile.mergedStacks).toBe(2);
  expect(profile.stacks.map(({ frames, count }) => [frames.length, count])).toEqual([
    [1, 2],
    [2, 1],
    [2, 1],
  ]);
});

test('for any faults, memory is bounded and the counts are complete', () => {
  const limits = { stacks: 8, frames: 6, processes: 3, buckets: 5 };
  const anyFault = fc.record({
    pid: fc.nat(10),
    command: fc.string(),
    seconds: fc.double({ min: 0, max: 1e9, noNaN: true }),
    cause: fc.constantFrom(...FAULT_CAUSE_NAMES),
    frames: fc.array(fc.record({ name: fc.string(), file: fc.string(), language: fc.constant('native' as const) })),
    whole: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(anyFault, { maxLength: 60 }), (faults) => {
      const profile = new Profile(limits);
      for (const each of faults) profile.add(each);
      expect(profile.frames.length).toBeLessThanOrEqual(limits.frames + 1);
      const { stacks, processes } = profile;
      expect(stacks.length).toBeLessThanOrEqual(limits.stacks + (limits.frames + 2) * FAULT_CAUSE_NAMES.length);
      expect(processes.length).toBeLessThanOrEqual(limits.processes);
      expect(stacks.reduce((all, { count }) => all + count, 0)).toBe(faults.length);
      expect(sum(profile.bucketsUntil(0))).toBe(faults.length);
      expect(sum([profile.causes])).toBe(faults.length);
    }),
  );
});
