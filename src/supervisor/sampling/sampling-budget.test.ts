import fc from 'fast-check';
import { expect, test } from 'vitest';
import { milliseconds, percentOfCore } from '../../base/units.ts';
import {
  charge,
  forget,
  plan,
  type ReadingDone,
  type SamplingState,
  setBudget,
  startSampling,
  watch,
} from './sampling-budget.ts';

const at = milliseconds;

interface Run {
  state: SamplingState;
  /** CPU time used, and the times of each process's rollups. */
  spentMs: number;
  rollups: Map<number, number[]>;
  wakes: number;
  longestWakeMs: number;
}

/** Runs the policy for a time on a simulated clock, with processes whose rollups cost `costOf`. */
function run(
  state: SamplingState,
  fromMs: number,
  forMs: number,
  costOf: (pid: number) => number,
  faultsOf: (pid: number) => number = () => 0,
): Run {
  const result: Run = { state, spentMs: 0, rollups: new Map(), wakes: 0, longestWakeMs: 0 };
  for (let now = fromMs; now < fromMs + forMs;) {
    const { state: planned, readings, nextAt } = plan(result.state, at(now));
    const done = readings.map(({ pid, kind }): ReadingDone => ({
      pid,
      kind,
      cost: at(kind === 'rollup' ? costOf(pid) : 0.03),
      faults: faultsOf(pid),
    }));
    const cost = done.reduce((sum, reading) => sum + reading.cost, 0.02);
    for (const { pid, kind } of done) {
      if (kind === 'rollup') result.rollups.set(pid, [...(result.rollups.get(pid) ?? []), now]);
    }
    result.state = charge(planned, done, at(cost), at(now));
    result.spentMs += cost;
    result.wakes += 1;
    result.longestWakeMs = Math.max(result.longestWakeMs, cost);
    if (nextAt === null) break;
    expect(nextAt).toBeGreaterThan(now);
    now = nextAt;
  }
  return result;
}

function herd(count: number, budgetPercent = 1, now = 0): SamplingState {
  let state = startSampling(percentOfCore(budgetPercent), at(now));
  for (let pid = 1; pid <= count; pid += 1) state = watch(state, pid, at(now));
  return state;
}

test.each([
  [1, 6],
  [8, 6],
  [64, 6],
  [64, 0.3],
  [8, 60],
  [500, 6],
])('%d processes at %d ms a rollup stay within the budget over ten minutes, and each is read', (count, costMs) => {
  const { spentMs, rollups } = run(herd(count), 0, 600_000, () => costMs);
  expect(spentMs / 600_000).toBeLessThanOrEqual(0.01);
  expect(rollups.size).toBe(count);
});

test('the budget is used when there is something to read', () => {
  const { spentMs } = run(herd(64), 0, 600_000, () => 6);
  expect(spentMs / 600_000).toBeGreaterThan(0.0075);
});

test('the budget holds for any herd, any costs and any budget', () => {
  const costs = fc.array(fc.double({ min: 0.05, max: 80, noNaN: true }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(costs, fc.double({ min: 0.2, max: 20, noNaN: true }), (perProcess, percent) => {
      const { spentMs } = run(herd(perProcess.length, percent), 0, 300_000, (pid) => perProcess[pid - 1] ?? 1);
      // The last reading may exceed the share.
      expect(spentMs).toBeLessThanOrEqual(300_000 * (percent / 100) + 81);
    }),
    { numRuns: 30 },
  );
});

test('old processes without faults take turns: none waits much longer than another', () => {
  const settled = run(herd(16), 0, 60_000, () => 6);
  const { rollups } = run(settled.state, 60_000, 300_000, () => 6);
  const counts = [...rollups.values()].map((times) => times.length);
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2);
});

test('a fresh fork is read at once, and more often than others in its first seconds', () => {
  const settled = run(herd(16), 0, 60_000, () => 6);
  const forked = watch(settled.state, 99, at(60_000));
  const { rollups } = run(forked, 60_000, 10_000, () => 6);
  const own = rollups.get(99) ?? [];
  expect(own[0]! - 60_000).toBeLessThanOrEqual(1000);
  const others = [...rollups].filter(([pid]) => pid !== 99).map(([, times]) => times.length);
  expect(own.length).toBeGreaterThan(2 * Math.max(...others));
});

test('a process with page faults is read more often than an idle one', () => {
  const settled = run(herd(16), 0, 60_000, () => 6);
  const { rollups } = run(
    settled.state,
    60_000,
    120_000,
    () => 6,
    (pid) => (pid === 3 ? 2000 : 0),
  );
  expect(rollups.get(3)!.length).toBeGreaterThan(1.8 * rollups.get(4)!.length);
});

test('the readings are spread: a wake-up blocks the event loop for little more than one reading', () => {
  expect(run(herd(64), 0, 60_000, () => 6).longestWakeMs).toBeLessThanOrEqual(30);
});

test('wake-ups are few: at most four a second, however cheap the readings are', () => {
  expect(run(herd(64), 0, 60_000, () => 0.1).wakes).toBeLessThanOrEqual(241);
  expect(run(herd(1), 0, 60_000, () => 0.1).wakes).toBeLessThanOrEqual(125);
});

test('without a budget or processes nothing is read, and there are no wake-ups', () => {
  expect(plan(herd(8, 0), at(5000))).toMatchObject({ readings: [], nextAt: null });
  expect(plan(herd(0), at(5000))).toMatchObject({ readings: [], nextAt: null });
});

test('a forgotten process is no longer read, and a charge for it is harmless', () => {
  const { state, readings } = plan(herd(2), at(0));
  expect(readings.map(({ pid }) => pid)).toContain(2);
  const left = charge(forget(state, 2), [{ pid: 2, kind: 'rollup', cost: at(6), faults: 0 }], at(6), at(0));
  expect(left.processes.has(2)).toBe(false);
  expect(left.credit).toBe(state.credit - 6);
  expect(plan(left, at(1000)).readings.every(({ pid }) => pid === 1)).toBe(true);
});

test('a smaller budget cancels the credit gathered under the larger one', () => {
  const { state } = plan(herd(1, 10), at(60_000));
  expect(state.credit).toBe(1000);
  expect(setBudget(state, percentOfCore(1), at(60_000)).credit).toBe(100);
});
