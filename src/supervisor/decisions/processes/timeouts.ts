/** Decisions about workers that fall silent or never become ready. */
import type { Settings } from '../../../agent/messages.ts';
import * as cut from './cut-requests.ts';
import { log, type Draft } from '../../herd/draft.ts';
import type { Heartbeat } from '../../herd/events.ts';
import type { Ending, WorkerState } from '../../herd/state.ts';
import { ownEndingMs } from './own-ending.ts';
import * as records from './worker-records.ts';
import { SIGABRT, SIGKILL } from '../../herd/signals.ts';

/** From SIGABRT to SIGKILL: time for the stack and for gunicorn's worker_abort hook. */
const ABORT_MS = 1000;

/** At least once a second: a worker that is silent for too long gets SIGABRT, then SIGKILL if it persists. */
export function look(draft: Draft, heartbeats: readonly Heartbeat[]): void {
  const { state, nowMs } = draft;
  if (state.phase === 'stopping' || state.settings === null) return;
  const beats = new Map(heartbeats.map((beat) => [beat.pid, beat]));
  const timeoutMs = state.settings.timeout_seconds * 1000;
  const bootTimeoutMs = state.settings.boot_timeout_seconds * 1000 || timeoutMs;
  for (const worker of Object.values(state.workers)) {
    const beat = beats.get(worker.pid);
    cutShort(draft, worker, state.settings);
    if (beat?.stack !== undefined) tellStack(draft, worker, beat.stack);
    // A draining worker has the graceful timeout.
    if (worker.phase === 'draining') continue;
    if (worker.abortedAtMs !== null) {
      if (nowMs - worker.abortedAtMs < ABORT_MS) continue;
      draft.actions.push({ do: 'signal', pid: worker.pid, signal: SIGKILL });
    } else if (worker.readyAtMs === null) {
      const bootingMs = nowMs - worker.forkedAtMs;
      if (bootTimeoutMs <= 0 || bootingMs <= bootTimeoutMs) continue;
      abort(draft, worker, `not ready ${(bootingMs / 1000).toFixed(0)} s after its fork`);
    } else if (beat !== undefined && timeoutMs > 0 && beat.agoMs > timeoutMs) {
      abort(draft, worker, `silent for ${(beat.agoMs / 1000).toFixed(0)} s, ${doing(beat)}`);
    }
  }
}

function abort(draft: Draft, worker: WorkerState, why: string): void {
  records.aborted(draft, worker.pid);
  log(draft, 'error', `WORKER TIMEOUT (pid:${worker.pid}): ${why}`);
  draft.actions.push({ do: 'signal', pid: worker.pid, signal: SIGABRT }, { do: 'wake', atMs: draft.nowMs + ABORT_MS });
}

function doing({ inFlight, requestsFinished }: Heartbeat): string {
  const now = inFlight === 0 ? 'no request' : `${inFlight} request(s)`;
  return `${now} in flight, ${requestsFinished} answered before`;
}

/** Kills a worker that was told to leave and has not within the graceful timeout, as gunicorn does. */
function cutShort(draft: Draft, worker: WorkerState, settings: Readonly<Settings>): void {
  const { nowMs } = draft;
  if (worker.drainedAtMs === null) return;
  const graceSeconds = settings.graceful_timeout_seconds;
  const graceOverAtMs = worker.drainedAtMs + graceSeconds * 1000;
  // A second ahead, because the next look may be too late; `ask` asks only once.
  if (nowMs >= graceOverAtMs - 1000 && nowMs < graceOverAtMs) cut.ask(draft, worker);
  if (nowMs < graceOverAtMs + ownEndingMs(settings)) return;
  // Restarts the timeout: should the signal be lost, it is sent again.
  records.killed(draft, worker.pid);
  log(draft, 'warning', `Worker ${worker.pid} did not finish its requests in ${graceSeconds} s and is killed`);
  draft.actions.push({ do: 'signal', pid: worker.pid, signal: SIGKILL });
}

/**
 * Logs the stack of a worker that has ended, if the worker was stuck or killed, or has crashed. A worker that was only
 * asked for its requests in flight, and then finished, has left a stack too.
 */
export function tellLastStack(
  draft: Draft,
  worker: WorkerState | undefined,
  ending: Ending,
  stack: string | null,
): void {
  const wasAborted = worker !== undefined && worker.abortedAtMs !== null;
  if (wasAborted || ending.exitStatus !== 0) tellStack(draft, worker, stack);
}

/** Logs, once, where a worker was when a fatal signal came. */
export function tellStack(draft: Draft, worker: WorkerState | undefined, stack: string | null): void {
  if (worker === undefined || stack === null || worker.stack !== null) return;
  records.wasStuck(draft, worker.pid, stack);
  log(draft, 'error', `Stack of worker ${worker.pid} (slot ${worker.slot}):\n${stack}`);
}
