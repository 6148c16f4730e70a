import fc from 'fast-check';
import { expect, test } from 'vitest';
import { median, medianOfEach, percentile, range } from './statistics.ts';

test('medians', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([7])).toBe(7);
  expect(() => median([])).toThrow(RangeError);
});

test('percentiles', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  expect(percentile(hundred, 0.5)).toBe(50);
  expect(percentile(hundred, 0.99)).toBe(99);
  expect(percentile(hundred, 1)).toBe(100);
  expect(percentile(hundred, 0)).toBe(1);
  expect(percentile([5], 0.99)).toBe(5);
  expect(() => percentile([], 0.5)).toThrow(RangeError);
});

test('as many values as it says are not above a percentile', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer(), { minLength: 1 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, part) => {
        const found = percentile(values, part);
        expect(values.filter((value) => value <= found).length).toBeGreaterThanOrEqual(Math.ceil(values.length * part));
        expect(values).toContain(found);
      },
    ),
  );
});

test('the median lies within the range, and does not depend on the order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
      const { least, most } = range(values);
      expect(median(values)).toBeGreaterThanOrEqual(least);
      expect(median(values)).toBeLessThanOrEqual(most);
      expect(median(values.toReversed())).toBe(median(values));
    }),
  );
});

test('each key has a median of its own', () => {
  expect(
    medianOfEach([
      { a: 1, b: 30 },
      { a: 3, b: 10 },
      { a: 2, b: 20 },
    ]),
  ).toEqual({ a: 2, b: 20 });
  expect(() => medianOfEach([])).toThrow(RangeError);
});
