import fc from 'fast-check';
import { expect, test } from 'vitest';
import { manualClock } from '../../base/clock.ts';
import { milliseconds } from '../../base/units.ts';
import { restAfter, Rests } from './resting.ts';

test('a look at little works a small part of its time', () => {
  // 1300 ms are left for 145 ms of work.
  expect(restAfter({ workedMs: 2, elapsedMs: 100, leftMs: 145 })).toBeCloseTo(2 * 7.97, 1);
  // It is over soon all the same.
  expect(restAfter({ workedMs: 2, elapsedMs: 100, leftMs: 10 })).toBe(18);
  expect(restAfter({ workedMs: 2, elapsedMs: 100, leftMs: 0 })).toBe(18);
});

test('one that has much to do goes on at once, and so does a stretch that is too short to be noticed', () => {
  expect(restAfter({ workedMs: 2, elapsedMs: 100, leftMs: 1200 })).toBe(0);
  expect(restAfter({ workedMs: 2, elapsedMs: 1500, leftMs: 1 })).toBe(0);
  expect(restAfter({ workedMs: 0.5, elapsedMs: 100, leftMs: 100 })).toBe(0);
});

test('whatever there is to do, no rest makes a look longer than what nobody minds', () => {
  const ms = fc.double({ min: 0, max: 5000, noNaN: true });
  fc.assert(
    fc.property(ms, ms, ms, (workedMs, elapsedMs, leftMs) => {
      const restMs = restAfter({ workedMs, elapsedMs, leftMs });
      expect(restMs).toBeGreaterThanOrEqual(0);
      expect(restMs).toBeLessThanOrEqual(9 * workedMs);
      if (restMs > 0) expect(elapsedMs + restMs).toBeLessThanOrEqual(1400);
    }),
  );
});

test('it is the time since the last rest that counts', () => {
  const clock = manualClock();
  const blocked: number[] = [];
  const rests = new Rests(clock, 100, (ms) => blocked.push(ms));
  clock.advance(milliseconds(5));
  rests.rest();
  expect(blocked).toEqual([45]);
  // Nothing was done since.
  rests.rest();
  // There is too little time left for another one.
  clock.advance(milliseconds(2000));
  rests.rest();
  expect(blocked).toEqual([45]);
});

test('a rest keeps the thread from working', () => {
  const clock = manualClock();
  const rests = new Rests(clock, 100);
  clock.advance(milliseconds(5));
  const before = performance.now();
  rests.rest();
  expect(performance.now() - before).toBeGreaterThan(40);
});
