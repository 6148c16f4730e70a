import fc from 'fast-check';
import { expect, test } from 'vitest';
import { manualClock } from '../../base/clock.ts';
import { milliseconds } from '../../base/units.ts';
import { restAfter, Rests } from './resting.ts';

test('a small look works a small part of its time', () => {
  // 1300 ms are left for 145 ms of work.
  expect(restAfter({ workedMs: 2, elapsedMs: 100, leftMs: 145 })).toBeCloseTo(2 * 7.97, 1);
  // Rests are limited, so that it still ends soon.
  expect(restAfter({ workedMs: 2, elapsedMs: 100, leftMs: 10 })).toBe(18);
  expect(restAfter({ workedMs: 2, elapsedMs: 100, leftMs: 0 })).toBe(18);
});

test('no rest for a look with much to do, nor after a stretch too short to notice', () => {
  expect(restAfter({ workedMs: 2, elapsedMs: 100, leftMs: 1200 })).toBe(0);
  expect(restAfter({ workedMs: 2, elapsedMs: 1500, leftMs: 1 })).toBe(0);
  expect(restAfter({ workedMs: 0.5, elapsedMs: 100, leftMs: 100 })).toBe(0);
});

test('no rest extends a look beyond 1400 ms', () => {
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

test('a rest depends on the time since the last one', () => {
  const clock = manualClock();
  const blocked: number[] = [];
  const rests = new Rests(clock, 100, (ms) => blocked.push(ms));
  clock.advance(milliseconds(5));
  rests.rest();
  expect(blocked).toEqual([45]);
  // No work since then.
  rests.rest();
  // Too little time is left for another rest.
  clock.advance(milliseconds(2000));
  rests.rest();
  expect(blocked).toEqual([45]);
});

test('a rest blocks the thread', () => {
  const clock = manualClock();
  const rests = new Rests(clock, 100);
  clock.advance(milliseconds(5));
  const before = performance.now();
  rests.rest();
  expect(performance.now() - before).toBeGreaterThan(40);
});
