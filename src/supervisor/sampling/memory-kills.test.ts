import { expect, test } from 'vitest';
import { MemoryKills } from './memory-kills.ts';

test('a process died for lack of memory only if the count rose at that time, and each count is one process', () => {
  let count: number | null = 7;
  const kills = new MemoryKills(() => count);
  expect(kills.claim()).toBe(false);
  count = 9;
  expect([kills.claim(), kills.claim(), kills.claim()]).toEqual([true, true, false]);
  // A kill of a process outside of the herd.
  count = 10;
  kills.tick();
  kills.tick();
  expect(kills.claim()).toBe(false);
  // Counted before the tick, reported after it.
  count = 11;
  kills.tick();
  expect([kills.claim(), kills.claim()]).toEqual([true, false]);
  kills.tick();
  expect(kills.claim()).toBe(false);
});

test('without a counter the answer is unknown', () => {
  expect(new MemoryKills(() => null).claim()).toBeNull();
});
