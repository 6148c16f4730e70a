/** Gathers the workers' rows of the scoreboard at a look. */
import type { Scoreboard } from '../agent/scoreboard.ts';
import type { Heartbeat } from './herd/events.ts';
import { tidyStack } from './runtime-directory/stack.ts';
import type { HerdState, WorkerState } from './herd/state.ts';

/** Returns one heartbeat for each worker whose row is known. `nowNs`: the monotonic clock, which the rows use too. */
export function heartbeatsOf(state: HerdState, scoreboard: Scoreboard, nowNs: bigint): Heartbeat[] {
  const heartbeats: Heartbeat[] = [];
  for (const worker of Object.values(state.workers)) {
    const row = scoreboard.row(worker.pid);
    if (row === null) continue;
    heartbeats.push({
      pid: worker.pid,
      agoMs: Number(nowNs - row.heartbeatMonotonicNs) / 1e6,
      requestsFinished: row.requestsFinished,
      inFlight: Math.max(0, row.requestsStarted - row.requestsFinished),
      ...stackOf(worker, scoreboard),
    });
  }
  return heartbeats;
}

/** The stack of a worker that was told to end and has not ended yet. */
function stackOf(worker: WorkerState, scoreboard: Scoreboard): { stack?: string } {
  if (worker.abortedAtMs === null || worker.stack !== null) return {};
  const stack = tidyStack(scoreboard.stack(worker.pid));
  return stack === null ? {} : { stack };
}
