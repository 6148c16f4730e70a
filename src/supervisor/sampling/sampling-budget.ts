/**
 * Which process to read next, and how closely: the policy of sampling. Pure.
 *
 * There are two kinds of reading. A *rollup* (/proc/PID/smaps_rollup) separates shared from private memory, and costs
 * the kernel a walk over the page tables: 4 ms for 100 MiB, on the reader's CPU. A *glance* (/proc/PID/stat) costs 30
 * µs and gives faults and size. All readings together may take a share of one core, for the whole herd.
 *
 * The share is enforced by credit. It grows with time, up to ten seconds' worth; each reading deducts its cost, and
 * nothing is read while the credit is used up. Readings are thus spread over time, and a herd with twice the processes,
 * or twice the memory, is read half as often at the same cost.
 *
 * Rollups go to the process with the highest urgency. A process that was never read comes first. Otherwise urgency is
 * the time since the last reading, times four in the first ten seconds after the fork, when memory is lost, times up to
 * five if glances saw page faults since: without a fault no page has been copied.
 */
import { type CoreShare, type Milliseconds, milliseconds } from '../../base/units.ts';

export type ReadingKind = 'rollup' | 'glance';

export interface Watched {
  readonly pid: number;
  readonly watchedSince: Milliseconds;
  readonly rollupAt: Milliseconds | null;
  readonly glanceAt: Milliseconds | null;
  /** The cost of the last rollup, which is also the estimate for the next. */
  readonly rollupCost: Milliseconds;
  readonly faultsSinceRollup: number;
}

export interface SamplingState {
  readonly budget: CoreShare;
  /** CPU time that may be used now; below 0 after a reading that cost more than the credit. */
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
  /** Minor and major faults since the previous reading; 0 if unknown. */
  readonly faults: number;
}

/** How long unused credit accumulates: the reserve for a burst of forks. */
const CREDIT_SPAN_MS = 10_000;
/** The part of that time credited at the start, so that the first minute stays within the budget, too. */
const FIRST_CREDIT_SPAN_MS = 2500;
/** The part of the budget for readings; the rest covers their unmeasured costs, such as cold caches. */
const USABLE_PART = 0.8;
/** One wake-up serves everything that is due around it. */
const WAKE_INTERVAL_MS = 250;
/** Readings block the event loop: after this much time a wake-up leaves further readings to the next one. */
const LONGEST_WAKE_MS = 20;
const YOUNG_MS = 10_000;
const YOUNG_WEIGHT = 4;
const FAULTS_FOR_ONE_WEIGHT = 1000;
const MOST_FAULT_WEIGHT = 4;
const ROLLUP_INTERVAL_MS = 1000;
const YOUNG_ROLLUP_INTERVAL_MS = 500;
const GLANCE_INTERVAL_MS = 2000;
/** In a very large herd, glances become less frequent so that they take at most this part of the budget. */
const GLANCE_PART = 0.25;
/** Estimates for a process that was never read. */
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

/**
 * The readings to take now. The returned state includes the credit for the elapsed time; the readings are not charged
 * yet.
 */
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
 * Deducts the cost of a wake-up from the credit, for its readings and everything else.
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
      // A slow mean: a single glance is at the resolution of the kernel's accounting.
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

/** The first moment at which something is due and there is credit for it, but not before the next wake-up. */
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
