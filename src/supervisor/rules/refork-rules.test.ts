/** The rules for reforking a herd: examples, and simulated herds that cache and leak. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytes } from '../../base/units.ts';
import {
  begun,
  consider,
  failed,
  largestWin,
  measure,
  newReforkMemory,
  type ReforkLimits,
  type ReforkReading,
  type ReforkMemory,
} from './refork-rules.ts';
import { worth } from './learnt-benefit.ts';

const MIB = 1024 * 1024;
const off: ReforkLimits = { after: [], byBenefit: false };
const byBenefit: ReforkLimits = { after: [], byBenefit: true };

function look(
  nowMs: number,
  pssMib: number,
  workers: readonly [requests: number, privateMib: number][],
): ReforkReading {
  return {
    nowMs,
    herdPss: bytes(pssMib * MIB),
    candidates: workers.map(([requests, privateMib], index) => ({
      forkedAtMs: index,
      pid: 100 + index,
      requests,
      private: bytes(privateMib * MIB),
    })),
  };
}

describe('by requests', () => {
  const limits: ReforkLimits = { after: [50, 100, 1000], byBenefit: false };

  test.each([
    [0, 49, false],
    [0, 50, true],
    [1, 99, false],
    [1, 100, true],
    [2, 1000, true],
    [3, 999, false],
    [3, 1000, true],
    [9, 1000, true],
  ])('after %i reforks and %i requests of one worker: %s', (reforks, requests, due) => {
    const memory = { ...newReforkMemory(), reforks };
    const { because } = consider(
      memory,
      limits,
      look(0, 100, [
        [requests, 1],
        [3, 1],
      ]),
    );
    expect(because !== null).toBe(due);
  });

  test('waits longer after each failure', () => {
    const due = look(0, 100, [[1000, 1]]);
    const pauses: number[] = [];
    let memory = newReforkMemory();
    for (let failure = 1; failure <= 8; failure += 1) {
      memory = failed(memory, 'a thread runs', 0);
      pauses.push(memory.notBeforeMs / 60_000);
      expect(consider(memory, limits, { ...due, nowMs: memory.notBeforeMs - 1 }).because).toBeNull();
      expect(consider(memory, limits, { ...due, nowMs: memory.notBeforeMs }).because).not.toBeNull();
    }
    expect(pauses).toEqual([2, 4, 8, 16, 32, 64, 64, 64]);
    expect(memory.stoppedBecause).toMatch(/8 reforks in a row failed: a thread runs/);
    expect(begun(memory, 2, due).failures).toBe(0);
  });

  test('nothing is done without a list', () => {
    expect(consider(newReforkMemory(), off, look(0, 100, [[1e9, 500]])).because).toBeNull();
  });
});

describe('the largest win', () => {
  test("is the memory that every other worker has in common with the warmest, beyond each worker's own minimum", () => {
    const workers = look(0, 0, [
      [9, 104],
      [5, 54],
      [5, 204],
      [1, 3],
    ]).candidates;
    expect(largestWin(workers)).toBe((50 + 100) * MIB);
  });

  test('is nothing with one worker', () => {
    expect(largestWin(look(0, 0, [[9, 500]]).candidates)).toBe(0);
  });
});

describe('by benefit', () => {
  const warm = look(0, 1000, [
    [100, 104],
    [100, 104],
    [100, 104],
    [100, 104],
  ]);

  function steadily(memory: ReforkMemory, seconds: number, at = warm): { memory: ReforkMemory; reasons: number } {
    let reasons = 0;
    let now = memory;
    for (let second = 1; second <= seconds; second += 1) {
      const considered = consider(now, byBenefit, { ...at, nowMs: second * 1000 });
      now = considered.memory;
      if (considered.because !== null) reasons += 1;
    }
    return { memory: now, reasons };
  }

  test('waits until the estimate is stable', () => {
    expect(steadily(newReforkMemory(), 10).reasons).toBe(0);
    expect(steadily(newReforkMemory(), 11).reasons).toBe(1);
  });

  test('counts seconds, however often it looks', () => {
    let memory = newReforkMemory();
    let decidedAtMs: number | null = null;
    for (let nowMs = 0; decidedAtMs === null && nowMs <= 60_000; nowMs += 50) {
      const considered = consider(memory, byBenefit, { ...warm, nowMs });
      memory = considered.memory;
      if (considered.because !== null) decidedAtMs = nowMs;
    }
    expect(decidedAtMs).toBe(10_000);
  });

  test('waits while caches grow', () => {
    let memory = newReforkMemory();
    for (let second = 1; second <= 100; second += 1) {
      const mib = 54 + second * 5;
      const growing = look(second * 1000, 1000, [
        [second, mib],
        [second, mib],
        [second, mib],
      ]);
      const considered = consider(memory, byBenefit, growing);
      expect(considered.because).toBeNull();
      memory = considered.memory;
    }
  });

  test('does nothing for less than a tenth of the herd', () => {
    expect(steadily(newReforkMemory(), 60, { ...warm, herdPss: bytes(4000 * MIB) }).reasons).toBe(0);
    expect(worth(bytes(0))).toBe(32 * MIB);
  });

  test('does nothing while a worker is not sampled yet', () => {
    const [first, ...rest] = warm.candidates;
    const candidates = [{ ...first!, private: null }, ...rest];
    expect(steadily(newReforkMemory(), 60, { ...warm, candidates }).reasons).toBe(0);
  });

  test('measures the win when the new workers are as warm as the old ones were, and stops after a poor one', () => {
    const memory = begun(newReforkMemory(), 2, warm);
    expect(
      measure(
        memory,
        look(2000, 500, [
          [99, 4],
          [99, 4],
        ]),
      ).win,
    ).toBeNull();
    const good = measure(
      memory,
      look(3000, 700, [
        [100, 4],
        [100, 4],
        [100, 4],
        [100, 4],
      ]),
    );
    expect(good.win).toMatchObject({ won: 300 * MIB, wonPerWorker: 75 * MIB });
    expect(good.memory).toMatchObject({ yieldPart: 1, stoppedBecause: null, measuring: null });
    const poor = measure(
      memory,
      look(3000, 990, [
        [100, 104],
        [100, 104],
        [100, 104],
        [100, 104],
      ]),
    );
    expect(poor.memory.stoppedBecause).toMatch(/generation 2 won 10\.0 MiB/);
    expect(steadily(poor.memory, 600).reasons).toBe(0);
  });
});

/** Simulates a herd whose workers fill an identical cache, and leak. Every tick is a second. */
function simulate(
  app: { cacheMib: number; cacheKibPerRequest: number; leakKibPerRequest: number; requestsPerSecond: number },
  workers: number,
  seconds: number,
): { reforks: number; lastReforkAtSecond: number; memory: ReforkMemory; pssMib: number } {
  let memory = newReforkMemory();
  let sharedCacheMib = 0;
  let sharedLeakMib = 0;
  let requests = 0;
  let lastReforkAtSecond = 0;
  let reforks = 0;
  let pssMib = 0;
  for (let second = 1; second <= seconds; second += 1) {
    requests += app.requestsPerSecond;
    const cacheMib = Math.min(app.cacheMib, sharedCacheMib + (requests * app.cacheKibPerRequest) / 1024);
    const leakMib = (requests * app.leakKibPerRequest) / 1024;
    const privateMib = 3 + (cacheMib - sharedCacheMib) + leakMib;
    pssMib = 250 + sharedCacheMib + sharedLeakMib + workers * privateMib;
    const seen = look(
      second * 1000,
      pssMib,
      Array.from({ length: workers }, () => [requests, privateMib]),
    );
    memory = measure(memory, seen).memory;
    const considered = consider(memory, byBenefit, seen);
    memory = considered.memory;
    if (considered.because === null) continue;
    reforks += 1;
    lastReforkAtSecond = second;
    memory = begun(memory, reforks + 1, seen);
    sharedCacheMib = cacheMib;
    sharedLeakMib += leakMib;
    requests = 0;
  }
  return { reforks, lastReforkAtSecond, memory, pssMib };
}

describe('a simulated herd', () => {
  test('that fills caches is reforked once, and wins them back', () => {
    const app = { cacheMib: 100, cacheKibPerRequest: 512, leakKibPerRequest: 0, requestsPerSecond: 2 };
    const { reforks, pssMib } = simulate(app, 8, 24 * 3600);
    expect(reforks).toBe(1);
    expect(pssMib).toBeLessThan(250 + 100 + 8 * 10);
  });

  test('that only leaks is not reforked forever, as a plain memory threshold would do', () => {
    const app = { cacheMib: 0, cacheKibPerRequest: 0, leakKibPerRequest: 4, requestsPerSecond: 20 };
    const { reforks, memory, lastReforkAtSecond } = simulate(app, 8, 24 * 3600);
    expect(reforks).toBeLessThanOrEqual(1);
    if (reforks === 1) expect(memory.stoppedBecause).not.toBeNull();
    expect(lastReforkAtSecond).toBeLessThan(12 * 3600);
  });

  test('settles, whatever the application does', () => {
    const app = fc.record({
      cacheMib: fc.integer({ min: 0, max: 500 }),
      cacheKibPerRequest: fc.integer({ min: 0, max: 1024 }),
      leakKibPerRequest: fc.integer({ min: 0, max: 16 }),
      requestsPerSecond: fc.integer({ min: 0, max: 50 }),
    });
    fc.assert(
      fc.property(app, fc.integer({ min: 1, max: 32 }), (what, workers) => {
        const { reforks } = simulate(what, workers, 6 * 3600);
        // One for a full cache, the others for caches that were still half full.
        expect(reforks).toBeLessThanOrEqual(4);
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});
