/**
 * Decisions about requests that are cut when the time to finish them is over. Shortly before, each worker is asked
 * about its requests in flight; when it has ended, the lost ones are logged.
 */
import { log, type Draft } from '../../herd/draft.ts';
import type { ExitCounters } from '../../herd/events.ts';
import type { RequestInFlight } from '../../herd/request-in-flight.ts';
import type { WorkerState } from '../../herd/state.ts';
import * as records from './worker-records.ts';
import { SIGTELL } from '../../herd/signals.ts';

/** How long before the end of the grace period workers are asked, at most. */
const ASK_BEFORE_MS = 500;

/** When to ask, given the end and the length of a grace period. */
export function askAtMs(killAtMs: number, graceMs: number): number {
  return killAtMs - Math.min(ASK_BEFORE_MS, graceMs / 4);
}

export function ask(draft: Draft, worker: WorkerState): void {
  // The signal would kill a worker without a handler, and a worker that was never ready may lack it.
  if (worker.askedWhatItDoes || worker.readyAtMs === null) return;
  records.asked(draft, worker.pid);
  draft.actions.push({ do: 'signal', pid: worker.pid, signal: SIGTELL });
}

/** A worker's answer. */
export function told(draft: Draft, pid: number, requests: RequestInFlight[], responseErrors: number): void {
  records.told(draft, pid, { requests, responseErrors, toldAtMs: draft.nowMs });
}

/** Logs the unfinished requests of a worker that was draining and has ended. */
export function tellLost(draft: Draft, worker: WorkerState | undefined, counters: ExitCounters | undefined): void {
  if (worker === undefined || counters === undefined || worker.phase !== 'draining') return;
  const { inFlight } = worker;
  // Worker classes that enforce the timeout themselves cancel leftover requests, which then count as response errors.
  const cancelled = inFlight === null ? 0 : Math.max(0, (counters.responseErrors ?? 0) - inFlight.responseErrors);
  const lost = Math.max(0, counters.requestsStarted - counters.requestsFinished) + cancelled;
  if (lost === 0) return;
  const which = inFlight === null ? '' : `: ${list(inFlight.requests, draft.nowMs - inFlight.toldAtMs)}`;
  log(draft, 'warning', `Worker ${worker.pid} has ended with ${lost} request(s) cut${which}`);
}

function list(requests: readonly RequestInFlight[], sinceMs: number): string {
  if (requests.length === 0) return 'it did not say which';
  return requests
    .map(({ method, path, seconds }) => {
      const lasted = seconds === null ? '' : ` (after ${(seconds + sinceMs / 1000).toFixed(1)} s)`;
      return `${method} ${path}${lasted}`;
    })
    .join(', ');
}
