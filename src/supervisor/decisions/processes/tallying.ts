/** Counts what has happened in the herd, for metrics. Writes {@link TalliesPart}; decides nothing. */
import { own, type Draft } from '../../herd/draft.ts';
import { signalName } from '../../herd/endings.ts';
import type { ExitCounters } from '../../herd/events.ts';
import type { Ending, RolloutKind, TalliesPart, WorkerState } from '../../herd/state.ts';
import { type ProcessTotals, withDurations, withProcess } from '../../herd/tallies.ts';

/** gunicorn's exit statuses for a worker that could not start (gunicorn/arbiter.py). */
const BOOT_STATUSES: ReadonlySet<number | null> = new Set([3, 4]);

function talliesOf(draft: Draft) {
  return own<TalliesPart>(draft).tallies;
}

/** A worker of this slot is gone; its last counters are known if its row could be read. */
export function workerGone(draft: Draft, slot: number, counters: ExitCounters | undefined): void {
  if (counters?.row === undefined) return;
  const tallies = talliesOf(draft);
  const { row, minorFaults = 0, majorFaults = 0 } = counters;
  tallies.slots[slot] = withProcess(tallies.slots[slot], { row, minorFaults, majorFaults });
  const { seconds, buckets } = withDurations(tallies.durations, row);
  tallies.durations = { seconds, buckets: [...buckets] };
}

/** A worker of this slot becomes a mold. What it counts from now on is a mold's. */
export function workerRetired(draft: Draft, slot: number, totals: ProcessTotals): void {
  workerGone(draft, slot, { requestsStarted: 0, requestsFinished: 0, ...totals });
}

/** A worker has ended that was not told to. */
export function workerDied(draft: Draft, worker: WorkerState, ending: Ending): void {
  const { deaths } = talliesOf(draft);
  const cause = causeOfDeath(worker, ending);
  deaths[cause] = (deaths[cause] ?? 0) + 1;
}

export function moldDied(draft: Draft): void {
  talliesOf(draft).moldDeaths += 1;
}

export function rolloutEnded(draft: Draft, kind: RolloutKind, failure: string | null): void {
  const tallies = talliesOf(draft);
  const key = `${kind} ${failure === null ? 'done' : 'failed'}`;
  tallies.rollouts[key] = (tallies.rollouts[key] ?? 0) + 1;
  if (kind === 'reload' && failure === null) tallies.lastReloadAtMs = draft.nowMs;
}

/** A few words, so that they can be a label: `timeout`, `out of memory`, `boot`, `SIGSEGV`, `exit`. */
export function causeOfDeath(worker: Pick<WorkerState, 'abortedAtMs' | 'readyAtMs'>, ending: Ending): string {
  if (worker.abortedAtMs !== null) return worker.readyAtMs === null ? 'boot timeout' : 'timeout';
  if (ending.outOfMemory === true) return 'out of memory';
  if (ending.signal !== null) return signalName(ending.signal);
  return BOOT_STATUSES.has(ending.exitStatus) ? 'boot' : 'exit';
}
