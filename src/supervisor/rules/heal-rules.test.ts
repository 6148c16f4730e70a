/** The rules for healing a herd: examples and simulated herds. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytes, mebibytes, milliseconds } from '../../base/units.ts';
import {
  begun,
  brokenOff,
  consider,
  ended,
  failed,
  type HealReading,
  type HealMemory,
  measure,
  newCode,
  newHealMemory,
  proceed,
  WORKER_LIMIT,
} from './heal-rules.ts';
import { worth } from './learnt-benefit.ts';

const MIB = 1024 * 1024;

function look(nowMs: number, unsharedMib: readonly (number | null)[], pssMib = 500): HealReading {
  return {
    nowMs,
    herdPss: mebibytes(pssMib),
    candidates: unsharedMib.map((mib, index) => ({
      pid: 100 + index,
      unshared: mib === null ? null : mebibytes(mib),
      sampledAtMs: nowMs - 1,
    })),
  };
}

/** Looks once a second until a heal is due, at most `most` times. */
function untilDue(memory: HealMemory, nowMs: number, unsharedMib: readonly number[], most = 30) {
  let current = memory;
  for (let seconds = 1; seconds <= most; seconds += 1) {
    const considered = consider(current, look(nowMs + seconds * 1000, unsharedMib));
    current = considered.memory;
    if (considered.because !== null) return { memory: current, nowMs: nowMs + seconds * 1000, seconds };
  }
  return null;
}

/** A whole heal, from `before` to `after`: MiB unshared in each worker. */
function heal(
  memory: HealMemory,
  nowMs: number,
  before: readonly number[],
  after: readonly number[],
  ksmdMs: number | null = 800,
) {
  const tookMs = 5000;
  const started = begun(memory, look(nowMs, before), milliseconds(1000));
  const over = ended(started, nowMs + tookMs, ksmdMs === null ? null : milliseconds(1000 + ksmdMs));
  return measure(over, look(nowMs + tookMs + 2000, after));
}

describe('a heal is due', () => {
  test('after the workers have had enough unshared for four seconds', () => {
    const due = untilDue(newHealMemory(), 0, [60, 60, 60]);
    expect(due?.seconds).toBe(5);
  });

  test('not if one look finds less', () => {
    let memory = newHealMemory();
    for (let second = 1; second <= 60; second += 1) {
      const unshared = second % 5 === 0 ? [10, 10, 10] : [60, 60, 60];
      const considered = consider(memory, look(second * 1000, unshared));
      memory = considered.memory;
      expect(considered.because).toBeNull();
    }
  });

  test.each([
    ['too little for the herd', [20, 20, 20], 1000],
    ['too little in each', Array.from({ length: 40 }, () => 15), 500],
    ['nothing known yet', [null, null], 500],
    ['no worker', [], 500],
  ])('not with %s', (_, unshared, pss) => {
    let memory = newHealMemory();
    for (let second = 1; second <= 20; second += 1) {
      const considered = consider(memory, look(second * 1000, unshared, pss));
      memory = considered.memory;
      expect(considered.because).toBeNull();
    }
  });

  test('by seconds, however often it looks', () => {
    let memory = newHealMemory();
    let decidedAtMs: number | null = null;
    for (let nowMs = 0; decidedAtMs === null && nowMs <= 60_000; nowMs += 50) {
      const considered = consider(memory, look(nowMs, [60, 60]));
      memory = considered.memory;
      if (considered.because !== null) decidedAtMs = nowMs;
    }
    expect(decidedAtMs).toBe(4000);
  });

  test('with a reason: how many workers, how much, and the expected gain', () => {
    let memory = newHealMemory();
    let because: string | null = null;
    for (let second = 0; second < 5; second += 1) {
      ({ memory, because } = consider(memory, look(second * 1000, [60, 4, 60])));
    }
    expect(because).toBe('2 worker(s) have 120.0 MiB unshared; it is estimated to win 60.0 MiB of 500.0 MiB');
  });
});

describe('a heal', () => {
  test('is for the workers over the limit', () => {
    const { heal: under, heals } = begun(newHealMemory(), look(0, [60, 4, 16, null]), null);
    expect(heals).toBe(1);
    expect(under?.unsharedBefore).toEqual({ 100: 60 * MIB, 102: 16 * MIB });
    expect(under?.estimated).toBe(38 * MIB);
  });

  test('ends when it has settled or taken too long', () => {
    const sample = (fullScans: number, mib: number) => ({ fullScans, merged: mebibytes(mib) });
    let memory = begun(newHealMemory(), look(0, [60, 60]), null);
    const overs = [sample(0, 0), sample(1, 0), sample(2, 80), sample(3, 81)].map((each, second) => {
      const proceeded = proceed(memory, each, second * 1000);
      memory = proceeded.memory;
      return proceeded.isOver;
    });
    expect(overs).toEqual([false, false, false, true]);
    const slow = begun(newHealMemory(), look(0, [60, 60]), null);
    expect(proceed(slow, sample(0, 0), 119_999).isOver).toBe(false);
    expect(proceed(slow, sample(0, 0), 120_000).isOver).toBe(true);
  });

  test('is measured when all its workers have been sampled again', () => {
    const over = ended(begun(newHealMemory(), look(0, [60, 60]), milliseconds(100)), 5000, milliseconds(900));
    const early = look(6000, [10, 10]);
    const stale = { ...early, candidates: early.candidates.map((each) => ({ ...each, sampledAtMs: 4999 })) };
    expect(measure(over, stale).win).toBeNull();
    expect(measure(over, look(6000, [10, null])).win).toBeNull();
    const { win, memory } = measure(over, early);
    expect(win).toEqual({ won: 100 * MIB, estimated: 60 * MIB, tookMs: 5000, ksmdMs: 800 });
    expect(memory).toMatchObject({ heal: null, yieldPart: 100 / 120, stoppedBecause: null });
    expect(memory.wins).toEqual([win]);
  });

  test('teaches nothing when its workers are gone', () => {
    const over = ended(begun(newHealMemory(), look(0, [60, 60]), null), 5000, null);
    const { memory, win } = measure(over, { ...look(6000, [10]), candidates: [] });
    expect(win).toBeNull();
    expect(memory.heal).toBeNull();
  });

  test('counts when broken off, and is tried again later', () => {
    const memory = brokenOff(begun(newHealMemory(), look(0, [60, 60]), null), 3000);
    expect(memory).toMatchObject({ heal: null, heals: 1, notBeforeMs: 63_000, stoppedBecause: null });
    expect(consider(memory, look(62_999, [60, 60])).memory.worthSinceMs).toBeNull();
    expect(consider(memory, look(63_000, [60, 60])).memory.worthSinceMs).toBe(63_000);
  });
});

describe('hysteresis', () => {
  test('memory left over by a heal no longer counts: only new damage leads to another', () => {
    const { memory } = heal(newHealMemory(), 0, [100, 100], [40, 40]);
    expect(memory.stoppedBecause).toBeNull();
    const later = memory.notBeforeMs;
    expect(untilDue(memory, later, [55, 55])).toBeNull();
    expect(untilDue(memory, later, [140, 140])).not.toBeNull();
  });

  test('an estimate is discounted by the yield of the last heal', () => {
    const { memory } = heal(newHealMemory(), 0, [100, 100], [80, 80]);
    expect(memory.yieldPart).toBeCloseTo(0.2);
    const [before, more] = [memory.leftOver[100] ?? bytes(0), 100];
    expect(untilDue(memory, memory.notBeforeMs, [before / MIB + more, before / MIB + more])).toBeNull();
  });

  test.each([
    [800, 60_000],
    [4000, 200_000],
    // The CPU time of ksmd can't be seen: as if it had worked all the time.
    [null, 250_000],
  ])('after %s ms of ksmd there is a pause of %i', (ksmdMs, pauseMs) => {
    expect(heal(newHealMemory(), 0, [100, 100], [0, 0], ksmdMs).memory.notBeforeMs).toBe(5000 + pauseMs);
  });
});

describe('healing stops', () => {
  test('after a heal that won little', () => {
    const { memory, win } = heal(newHealMemory(), 0, [100, 100], [90, 90]);
    expect(win?.won).toBe(20 * MIB);
    expect(memory.stoppedBecause).toMatch(/^the last heal won 20.0 MiB, less than the 25.0 MiB/);
    expect(untilDue(memory, 1e9, [500, 500])).toBeNull();
  });

  test('after a heal that could not begin', () => {
    const memory = failed(begun(newHealMemory(), look(0, [60, 60]), null), 'the file is read-only');
    expect(memory).toMatchObject({ heal: null, stoppedBecause: 'the file is read-only' });
  });

  test('until new code is loaded', () => {
    const { memory } = heal(newHealMemory(), 0, [100, 100], [100, 100]);
    const fresh = newCode(memory);
    expect(fresh).toMatchObject({ stoppedBecause: null, heals: 1, leftOver: {}, yieldPart: 0.5 });
    expect(untilDue(fresh, 0, [100, 100])).not.toBeNull();
  });
});

describe('simulated herds', () => {
  /** Simulates an hour. Each second every worker copies some memory; a heal gives back its identical part. */
  function hour(perSecondMib: number, identicalPart: number, rewrittenPart: number) {
    let memory = newHealMemory();
    let healedMs = 0;
    let unshared = 0;
    for (let second = 0; second < 3600; second += 1) {
      const nowMs = second * 1000;
      unshared = Math.min(200, unshared + perSecondMib);
      const four = [unshared, unshared, unshared, unshared];
      ({ memory } = measure(memory, look(nowMs, four)));
      const considered = consider(memory, look(nowMs, four));
      memory = considered.memory;
      if (considered.because === null) continue;
      memory = begun(memory, look(nowMs, four), null);
      const tookMs = 8000;
      healedMs += tookMs;
      second += tookMs / 1000;
      memory = ended(memory, second * 1000, null);
      unshared *= 1 - identicalPart * (1 - rewrittenPart);
    }
    return { memory, healedMs };
  }

  test('identical damage is healed again and again, in a small part of the time', () => {
    const { memory, healedMs } = hour(0.5, 0.9, 0);
    expect(memory.heals).toBeGreaterThan(3);
    expect(memory.stoppedBecause).toBeNull();
    expect(healedMs).toBeLessThan(0.03 * 3_600_000);
  });

  test('real data is tried once', () => {
    const { memory } = hour(0.5, 0, 0);
    expect(memory.heals).toBe(1);
    expect(memory.stoppedBecause).not.toBeNull();
  });

  test('pages that are rewritten at once are tried once', () => {
    expect(hour(20, 0.9, 0.95).memory.heals).toBe(1);
  });

  test('in every course ksmd works a small part of the time, and a heal is worth it or the last', () => {
    const part = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.double({ min: 0, max: 50, noNaN: true }), part, part, (perSecond, identical, rewritten) => {
        const { memory, healedMs } = hour(perSecond, identical, rewritten);
        expect(healedMs).toBeLessThan(0.03 * 3_600_000);
        const poor = memory.wins.filter(({ won }) => won < worth(mebibytes(500)) / 2);
        expect(poor.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 60 },
    );
  });
});

test('the limit of a worker is 16 MiB', () => {
  expect(WORKER_LIMIT).toBe(16 * MIB);
});
