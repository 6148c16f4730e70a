import { expect, test } from 'vitest';
import { MemoryKills } from './memory-kills.ts';

test('a process died for lack of memory only if the count has grown about then, and each count is one process', () => {
  let count: number | null = 7;
  const kills = new MemoryKills(() => count);
  expect(kills.claim()).toBe(false);
  count = 9;
  expect([kills.claim(), kills.claim(), kills.claim()]).toEqual([true, true, false]);
  // Of a process that is none of the herd's.
  count = 10;
  kills.tick();
  kills.tick();
  expect(kills.claim()).toBe(false);
  // Counted before the tick, heard of after it.
  count = 11;
  kills.tick();
  expect([kills.claim(), kills.claim()]).toEqual([true, false]);
  kills.tick();
  expect(kills.claim()).toBe(false);
});

test('where nobody counts it is not known', () => {
  expect(new MemoryKills(() => null).claim()).toBeNull();
});
