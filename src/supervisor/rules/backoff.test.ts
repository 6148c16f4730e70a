import { expect, test } from 'vitest';
import { pauseMs, wasStable } from './backoff.ts';

test('a pause doubles with each failure, up to the longest', () => {
  const backoff = { firstMs: 100, longestMs: 1000 };
  expect([0, 1, 2, 3, 4, 5, 6, 2000].map((failures) => pauseMs(failures, backoff))).toEqual([
    0, 100, 200, 400, 800, 1000, 1000, 1000,
  ]);
});

test('free failures cost no pause, and the next one costs the first pause', () => {
  expect([1, 2, 3].map((failures) => pauseMs(failures, { firstMs: 100, longestMs: 1000, free: 1 }))).toEqual([
    0, 100, 200,
  ]);
});

test('something that was never up was not stable', () => {
  expect(wasStable(null, 1_000_000, 10)).toBe(false);
  expect(wasStable(100, 109, 10)).toBe(false);
  expect(wasStable(100, 110, 10)).toBe(true);
});
