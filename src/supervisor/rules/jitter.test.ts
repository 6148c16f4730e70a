import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jitterOf } from './jitter.ts';

test('is within its bounds, and constant for a worker', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(1000), fc.nat(1000), fc.nat(1_000_000), (pid, slot, generation, most) => {
      const jitter = jitterOf({ pid, slot, generation }, most);
      expect(Number.isInteger(jitter)).toBe(true);
      expect(jitter).toBeGreaterThanOrEqual(0);
      expect(jitter).toBeLessThanOrEqual(most);
      expect(jitterOf({ pid, slot, generation }, most)).toBe(jitter);
    }),
  );
  expect(jitterOf({ pid: 1, slot: 0, generation: 1 }, 0)).toBe(0);
});

test('spreads workers forked one after the other over the whole range', () => {
  const values = Array.from({ length: 1000 }, (_, index) =>
    jitterOf({ pid: 4000 + index, slot: index, generation: 1 }, 9),
  );
  const counts = Array.from({ length: 10 }, (_, value) => values.filter((each) => each === value).length);
  expect(Math.min(...counts)).toBeGreaterThan(60);
  expect(Math.max(...counts)).toBeLessThan(140);
});
