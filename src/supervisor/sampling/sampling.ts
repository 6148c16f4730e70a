/**
 * Which process to look at next, and how closely: the policy of sampling. Pure.
 *
 * There are two kinds of reading. A *rollup* (/proc/PID/smaps_rollup) tells shared from private memory, and costs the
 * kernel a walk over the page tables: 4 ms for 100 MiB, on the CPU of whoever asks. A *glance* (/proc/PID/stat) costs
 * 30 µs and tells faults and size. All of it together may take a share of one core, for the whole herd.
 *
 * The share is kept by credit: it grows with time, up to ten seconds' worth, each reading takes what it cost off it,
 * and nothing is read while it is used up. So the readings are spread over time, and a herd twice as large, or twice
 * as fat, is read half as often, at the same cost.
 *
 * Rollups go to the process with the highest urgency: one that was never read; then by the time since the last
 * reading, times four in the first ten seconds after the fork, when memory is lost, times up to five if the glances
 * saw page faults since: without a fault no page has been copied.
 */
import { type CoreShare, type Milliseconds, milliseconds } from '../../base/units.ts';

export type ReadingKind = 'rollup' | 'glance';

export interface Watched {
  readonly pid: number;
  readonly watchedSince: Milliseconds;
  readonly rollupAt: Milliseconds | null;
  readonly glanceAt: Milliseconds | null;
  /** What the last rollup cost: what the next is expected to. */
  readonly rollupCost: Milliseconds;
  readonly faultsSinceRollup: number;
}

export interface SamplingState {
  readonly budget: CoreShare;
  /** CPU time that may be used now; below 0 after a reading that cost more than there was. */
  readonly credit: Milliseconds;
  readonly creditedAt: Milliseconds;
  readonly glanceCost: Milliseconds;
  readonly processes: ReadonlyMap<number, Watched>;
}

export interface Reading {
  readonly pid: number;
  readonly kind: ReadingKind;
}

export interface Plan {
  readonly state: SamplingState;
  readonly readings: readonly Reading[];
  /** When to plan again, at the latest; null while there is nothing to read. */
  readonly nextAt: Milliseconds | null;
}

export interface ReadingDone extends Reading {
  readonly cost: Milliseconds;
  /** Minor and major faults since the reading before; 0 if that is not known. */
  readonly faults: number;
}

/** Time over which unused credit gathers: what a burst of forks may use at once. */
const CREDIT_SPAN_MS = 10_000;
/** What there is of it at the start, so that the first minute stays within the budget, too. */
const FIRST_CREDIT_SPAN_MS = 2500;
/** Part of the budget that readings may take: the rest is for what they cost without being measured, such as caches. */
const USABLE_PART = 0.8;
/** One wake-up serves all that is due around it. */
const WAKE_INTERVAL_MS = 250;
/** Readings hold up the event loop: a wake-up that has read for so long leaves the rest to the next one. */
const LONGEST_WAKE_MS = 20;
const YOUNG_MS = 10_000;
const YOUNG_WEIGHT = 4;
const FAULTS_FOR_ONE_WEIGHT = 1000;
const MOST_FAULT_WEIGHT = 4;
const ROLLUP_INTERVAL_MS = 1000;
const YOUNG_ROLLUP_INTERVAL_MS = 500;
const GLANCE_INTERVAL_MS = 2000;
/** Glances of a very large herd are spread out rather than take more than this part of the budget. */
const GLANCE_PART = 0.25;
/** Expected of a process that was never read, before it is known better. */
const UNKNOWN_ROLLUP_COST = milliseconds(5);
const UNKNOWN_GLANCE_COST = milliseconds(0.05);

export function startSampling(budget: CoreShare, now: Milliseconds): SamplingState {
  return {
    budget,
    credit: milliseconds(FIRST_CREDIT_SPAN_MS * budget),
    creditedAt: now,
    glanceCost: UNKNOWN_GLANCE_COST,
    processes: new Map(),
  };
}

export function setBudget(state: SamplingState, budget: CoreShare, now: Milliseconds): SamplingState {
  const credited = accrue(state, now);
  return { ...credited, budget, credit: milliseconds(Math.min(credited.credit, CREDIT_SPAN_MS * budget)) };
}

export function watch(state: SamplingState, pid: number, now: Milliseconds): SamplingState {
  const watched: Watched = {
    pid,
    watchedSince: now,
    rollupAt: null,
    glanceAt: null,
    rollupCost: UNKNOWN_ROLLUP_COST,
    faultsSinceRollup: 0,
  };
  return { ...state, processes: new Map(state.processes).set(pid, watched) };
}

export function forget(state: SamplingState, pid: number): SamplingState {
  const processes = new Map(state.processes);
  processes.delete(pid);
  return { ...state, processes };
}

/** What to read now. The state that comes back has the credit of the time gone by; the readings are not yet charged. */
export function plan(state: SamplingState, now: Milliseconds): Plan {
  const credited = accrue(state, now);
  if (credited.budget <= 0 || credited.processes.size === 0) return { state: credited, readings: [], nextAt: null };
  const processes = [...credited.processes.values()];
  const glanceInterval = glanceIntervalOf(credited);
  const readings: Reading[] = [];
  let planned = 0;

  const affordable = (): boolean => credited.credit - planned > 0 && planned < LONGEST_WAKE_MS;
  const dueGlances = processes
    .filter((process) => glanceDueAt(process, glanceInterval) <= now)
    .sort((left, right) => (left.glanceAt ?? -1) - (right.glanceAt ?? -1));
  for (const { pid } of dueGlances) {
    if (!affordable()) break;
    readings.push({ pid, kind: 'glance' });
    planned += credited.glanceCost;
  }
  const dueRollups = processes
    .filter((process) => rollupDueAt(process, now) <= now)
    .sort((left, right) => urgency(right, now) - urgency(left, now) || left.watchedSince - right.watchedSince);
  for (const { pid, rollupCost } of dueRollups) {
    if (!affordable()) break;
    readings.push({ pid, kind: 'rollup' });
    planned += rollupCost;
  }
  return { state: credited, readings, nextAt: nextPlanAt(credited, now, readings, planned, glanceInterval) };
}

/**
 * Takes off the credit what a wake-up cost, its readings and all else.
 *
 * @param cost the whole CPU time of the wake-up, at least the sum of its readings
 */
export function charge(
  state: SamplingState,
  done: readonly ReadingDone[],
  cost: Milliseconds,
  now: Milliseconds,
): SamplingState {
  const processes = new Map(state.processes);
  let { glanceCost } = state;
  for (const reading of done) {
    const watched = processes.get(reading.pid);
    if (watched === undefined) continue;
    if (reading.kind === 'rollup') {
      const rollupCost = milliseconds(Math.max(reading.cost, 0.01));
      processes.set(reading.pid, { ...watched, rollupAt: now, glanceAt: now, rollupCost, faultsSinceRollup: 0 });
    } else {
      // A slow mean: single glances are at the resolution of the kernel's accounting.
      glanceCost = milliseconds(glanceCost * 0.95 + reading.cost * 0.05);
      const faultsSinceRollup = watched.faultsSinceRollup + reading.faults;
      processes.set(reading.pid, { ...watched, glanceAt: now, faultsSinceRollup });
    }
  }
  return { ...state, processes, glanceCost, credit: milliseconds(state.credit - cost) };
}

function accrue(state: SamplingState, now: Milliseconds): SamplingState {
  const elapsed = Math.max(0, now - state.creditedAt);
  const credit = Math.min(CREDIT_SPAN_MS * state.budget, state.credit + elapsed * state.budget * USABLE_PART);
  return { ...state, credit: milliseconds(credit), creditedAt: now };
}

function isYoung(process: Watched, now: Milliseconds): boolean {
  return now - process.watchedSince < YOUNG_MS;
}

function urgency(process: Watched, now: Milliseconds): number {
  if (process.rollupAt === null) return Number.MAX_VALUE;
  const faultWeight = 1 + Math.min(MOST_FAULT_WEIGHT, process.faultsSinceRollup / FAULTS_FOR_ONE_WEIGHT);
  return (now - process.rollupAt) * (isYoung(process, now) ? YOUNG_WEIGHT : 1) * faultWeight;
}

function rollupDueAt(process: Watched, now: Milliseconds): number {
  if (process.rollupAt === null) return process.watchedSince;
  return process.rollupAt + (isYoung(process, now) ? YOUNG_ROLLUP_INTERVAL_MS : ROLLUP_INTERVAL_MS);
}

function glanceDueAt(process: Watched, interval: number): number {
  return process.glanceAt === null ? process.watchedSince : process.glanceAt + interval;
}

function glanceIntervalOf(state: SamplingState): number {
  return Math.max(GLANCE_INTERVAL_MS, (state.processes.size * state.glanceCost) / (state.budget * GLANCE_PART));
}

/** The first moment at which something is due and there will be credit for it, but no sooner than the next wake-up. */
function nextPlanAt(
  state: SamplingState,
  now: Milliseconds,
  readings: readonly Reading[],
  planned: number,
  glanceInterval: number,
): Milliseconds {
  const taken = new Set(readings.map(({ pid, kind }) => `${kind} ${pid}`));
  let due = Infinity;
  for (const process of state.processes.values()) {
    const rollupAt = taken.has(`rollup ${process.pid}`) ? now + YOUNG_ROLLUP_INTERVAL_MS : rollupDueAt(process, now);
    const glanceAt = taken.has(`glance ${process.pid}`) ? now + glanceInterval : glanceDueAt(process, glanceInterval);
    due = Math.min(due, rollupAt, glanceAt);
  }
  const creditAt = now + Math.max(0, planned - state.credit) / (state.budget * USABLE_PART);
  return milliseconds(Math.max(due, creditAt, now + WAKE_INTERVAL_MS));
}
