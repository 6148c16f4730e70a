import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sharesOf } from './look.ts';

test('workers are divided among threads, at least four to each', () => {
  expect(sharesOf([1, 2, 3], 8)).toEqual([[1, 2, 3]]);
  expect(sharesOf([1, 2, 3, 4, 5, 6, 7], 8)).toEqual([[1, 2, 3, 4, 5, 6, 7]]);
  expect(sharesOf([1, 2, 3, 4, 5, 6, 7, 8], 8)).toEqual([
    [1, 3, 5, 7],
    [2, 4, 6, 8],
  ]);
  expect(sharesOf([1, 2, 3, 4, 5, 6, 7, 8], 1)).toHaveLength(1);
  expect(
    sharesOf(
      Array.from({ length: 64 }, (_, pid) => pid),
      64,
    ),
  ).toHaveLength(4);
  expect(sharesOf([], 4)).toEqual([[]]);
});

test('every worker is in one share, and shares differ by at most one worker', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(), { maxLength: 40 }), fc.integer({ min: 1, max: 64 }), (workers, cores) => {
      const shares = sharesOf(workers, cores);
      expect(shares.flat().toSorted()).toEqual(workers.toSorted());
      const lengths = shares.map((share) => share.length);
      expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
      expect(shares.length).toBeLessThanOrEqual(cores);
    }),
  );
});
