/** Decisions about a stop: why and how it begins, and the end of the workers. The steps are in stop-steps.ts. */
import * as cut from './cut-requests.ts';
import { log, own, type Draft } from '../../herd/draft.ts';
import * as phase from './herd-phase.ts';
import type { StopPart, StopState, WorkerState } from '../../herd/state.ts';
import { ownEndingMs } from './own-ending.ts';
import * as predecessor from '../../herd/predecessor.ts';
import * as records from './worker-records.ts';
import { SIGFINISH, SIGKILL, SIGQUIT, SIGTERM } from '../../herd/signals.ts';

/** gunicorn's grace for a quick shutdown (gunicorn/arbiter.py, stop). */
const QUICK_GRACE_MS = 2_000;
const DEFAULT_GRACE_MS = 30_000;

/** Somebody wants the herd to stop: a signal or the `stop` command. */
export function request(draft: Draft, by: string, quick: boolean): void {
  const { state } = draft;
  const { stop } = own<StopPart>(draft);
  if (stop !== null) {
    if (stop.quick || !quick) return;
    log(draft, 'warning', `Stopping at once (${by})`);
    stop.quick = true;
    stop.killAtMs = draft.nowMs + QUICK_GRACE_MS;
    for (const worker of Object.values(state.workers)) {
      draft.actions.push({ do: 'signal', pid: worker.pid, signal: SIGQUIT });
    }
    return;
  }
  log(draft, 'info', quick ? `Stopping at once (${by})` : `Stopping (${by})`);
  predecessor.tellThatItServes(draft);
  begin(draft, 0, null, quick);
}

/** The herd can't continue because of an error of the catalogue. */
export function fail(draft: Draft, code: string, detail: string): void {
  if (draft.state.stop !== null) return;
  predecessor.tellThatItServes(draft);
  begin(draft, 1, { code, detail }, false);
}

/** The mold has done its task and there is nothing to serve (--check-config). */
export function finish(draft: Draft, exitStatus: number): void {
  if (draft.state.stop !== null) return;
  begin(draft, exitStatus, null, true);
}

/** Ends now, because there is no keeper to wait for. */
export function end(draft: Draft, code: string, detail: string): void {
  if (draft.state.phase !== 'stopping') predecessor.tellThatItServes(draft);
  phase.end(draft);
  draft.actions.push({ do: 'end', exitStatus: 1, error: { code, detail } });
}

/** The keeper has left, as the last process. */
export function conclude(draft: Draft): void {
  const { state } = draft;
  if (state.stop === null) return;
  phase.end(draft);
  draft.actions.push({ do: 'end', exitStatus: state.stop.exitStatus, error: state.stop.error });
}

/** Tells a worker to leave because the whole herd stops; it serves its listen backlog first. */
export function dismissWorker(draft: Draft, worker: WorkerState): void {
  // Only ready workers get SIGFINISH: one that is still booting may have no handler for it, and one that drains has
  // closed its listeners. A predecessor's backlog is left to its own workers.
  const finish = worker.phase === 'ready' && !predecessor.serves(draft.state) ? SIGFINISH : SIGTERM;
  const signal = draft.state.stop?.quick === true ? SIGQUIT : finish;
  records.leavesWithHerd(draft, worker.pid);
  draft.actions.push({ do: 'signal', pid: worker.pid, signal });
}

function begin(draft: Draft, exitStatus: number, error: { code: string; detail: string } | null, quick: boolean): void {
  const { state, nowMs } = draft;
  const graceMs =
    state.settings === null
      ? DEFAULT_GRACE_MS
      : Math.max(state.settings.graceful_timeout_seconds * 1000, QUICK_GRACE_MS);
  phase.stop(draft);
  own<StopPart>(draft).stop = {
    exitStatus,
    error,
    startedAtMs: nowMs,
    quick,
    killAtMs: nowMs + (quick ? QUICK_GRACE_MS : graceMs + ownEndingMs(state.settings)),
    moldsToldAtMs: null,
    keeperTold: false,
  };
  // Before the first worker stops accepting; the keeper carries out its commands in order.
  if (!quick && state.listeners !== null && !predecessor.serves(state)) draft.actions.push({ do: 'turn_away' });
  for (const worker of Object.values(state.workers)) dismissWorker(draft, worker);
}

/** Waits for workers until their time is over, then kills them; returns whether any remain. */
export function endWorkers(draft: Draft, stop: StopState): boolean {
  const { state, nowMs } = draft;
  const workers = Object.values(state.workers);
  const isForkAwaited =
    Object.keys(state.forking).length > 0 && Object.values(state.molds).some((mold) => mold.phase === 'ready');
  if (workers.length === 0 && !isForkAwaited) return false;
  if (nowMs < stop.killAtMs) {
    const graceOverAtMs = stop.killAtMs - ownEndingMs(state.settings);
    const askAtMs = stop.quick ? stop.killAtMs : cut.askAtMs(graceOverAtMs, graceOverAtMs - stop.startedAtMs);
    if (nowMs >= askAtMs) for (const worker of workers) cut.ask(draft, worker);
    draft.actions.push({ do: 'wake', atMs: nowMs < askAtMs ? askAtMs : stop.killAtMs });
    return true;
  }
  if (workers.length > 0) {
    const pids = workers.map((worker) => worker.pid).join(', ');
    log(draft, 'warning', `${workers.length} worker(s) did not finish in time and are killed: ${pids}`);
  }
  for (const worker of workers) draft.actions.push({ do: 'signal', pid: worker.pid, signal: SIGKILL });
  // Kill again later, in case a process can't be killed yet and the signal gets lost.
  const killAtMs = nowMs + QUICK_GRACE_MS;
  killLater(draft, killAtMs);
  records.forgetAllOrders(draft);
  draft.actions.push({ do: 'wake', atMs: killAtMs });
  return true;
}

function killLater(draft: Draft, killAtMs: number): void {
  const { stop } = own<StopPart>(draft);
  if (stop !== null) stop.killAtMs = killAtMs;
}

/** Molds were told to leave, or killed. */
export function moldsTold(draft: Draft): void {
  const { stop } = own<StopPart>(draft);
  if (stop !== null) stop.moldsToldAtMs = draft.nowMs;
}

/** The keeper was told to leave. */
export function keeperTold(draft: Draft): void {
  const { stop } = own<StopPart>(draft);
  if (stop !== null) stop.keeperTold = true;
}
