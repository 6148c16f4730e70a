/** Decisions about a stop: workers first, then molds, then the keeper, each with a deadline. */
import * as cut from './cut-requests.ts';
import { log, type Draft } from '../../herd/draft.ts';
import type { MoldState, StopState, WorkerState } from '../../herd/state.ts';
import * as predecessor from '../../herd/predecessor.ts';
import { SIGFINISH, SIGKILL, SIGQUIT, SIGTERM } from '../../herd/signals.ts';

/** gunicorn's grace for a quick shutdown (gunicorn/arbiter.py, stop). */
const QUICK_GRACE_MS = 2_000;
const DEFAULT_GRACE_MS = 30_000;

/** How long molds may run their exit hooks. */
const MOLD_GRACE_MS = 5_000;

/** Somebody wants the herd to stop: a signal or the `stop` command. */
export function request(draft: Draft, by: string, quick: boolean): void {
  const { state } = draft;
  if (state.stop !== null) {
    if (state.stop.quick || !quick) return;
    log(draft, 'warning', `Stopping at once (${by})`);
    state.stop.quick = true;
    state.stop.killAtMs = draft.nowMs + QUICK_GRACE_MS;
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
  draft.state.phase = 'ended';
  draft.actions.push({ do: 'end', exitStatus: 1, error: { code, detail } });
}

/** The keeper has left, as the last process. */
export function conclude(draft: Draft): void {
  const { state } = draft;
  if (state.stop === null) return;
  state.phase = 'ended';
  draft.actions.push({ do: 'end', exitStatus: state.stop.exitStatus, error: state.stop.error });
}

/** Tells a worker to leave because the whole herd stops; it serves its listen backlog first. */
export function dismissWorker(draft: Draft, worker: WorkerState): void {
  // Only ready workers get SIGFINISH: one that is still booting may have no handler for it, and one that drains has
  // closed its listeners. A predecessor's backlog is left to its own workers.
  const finish = worker.phase === 'ready' && !predecessor.serves(draft.state) ? SIGFINISH : SIGTERM;
  const signal = draft.state.stop?.quick === true ? SIGQUIT : finish;
  worker.phase = 'draining';
  draft.actions.push({ do: 'signal', pid: worker.pid, signal });
}

function begin(draft: Draft, exitStatus: number, error: { code: string; detail: string } | null, quick: boolean): void {
  const { state, nowMs } = draft;
  const graceMs =
    state.settings === null
      ? DEFAULT_GRACE_MS
      : Math.max(state.settings.graceful_timeout_seconds * 1000, QUICK_GRACE_MS);
  state.phase = 'stopping';
  state.stop = {
    exitStatus,
    error,
    startedAtMs: nowMs,
    quick,
    killAtMs: nowMs + (quick ? QUICK_GRACE_MS : graceMs),
    moldsToldAtMs: null,
    keeperTold: false,
  };
  // Before the first worker stops accepting; the keeper carries out its commands in order.
  if (!quick && state.listeners !== null && !predecessor.serves(state)) draft.actions.push({ do: 'turn_away' });
  for (const worker of Object.values(state.workers)) dismissWorker(draft, worker);
}

/** Takes the next step of a stop, after every event: workers, then molds, then the keeper. */
export function advance(draft: Draft): void {
  const { state } = draft;
  const { stop } = state;
  if (stop === null || endWorkers(draft, stop) || endMolds(draft, stop)) return;
  if (state.afresh !== null) {
    // There is no keeper, but processes of a dead one may remain.
    if (state.afresh.orphansGone) conclude(draft);
    return;
  }
  if (stop.keeperTold) return;
  stop.keeperTold = true;
  draft.actions.push({ do: 'tell_keeper_to_leave' });
}

/** Waits for workers until their time is over, then kills them; returns whether any remain. */
function endWorkers(draft: Draft, stop: StopState): boolean {
  const { state, nowMs } = draft;
  const workers = Object.values(state.workers);
  const isForkAwaited =
    Object.keys(state.forking).length > 0 && Object.values(state.molds).some((mold) => mold.phase === 'ready');
  if (workers.length === 0 && !isForkAwaited) return false;
  if (nowMs < stop.killAtMs) {
    const askAtMs = stop.quick ? stop.killAtMs : cut.askAtMs(stop.killAtMs, stop.killAtMs - stop.startedAtMs);
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
  stop.killAtMs = nowMs + QUICK_GRACE_MS;
  state.forking = {};
  draft.actions.push({ do: 'wake', atMs: stop.killAtMs });
  return true;
}

/** Tells molds to leave, and kills those that do not; returns whether any remain. */
function endMolds(draft: Draft, stop: StopState): boolean {
  const { state, nowMs } = draft;
  const molds = Object.values(state.molds).filter((mold) => mold.pid !== null);
  if (molds.length === 0) return false;
  if (stop.moldsToldAtMs === null) {
    stop.moldsToldAtMs = nowMs;
    for (const mold of molds) dismissMold(draft, mold);
  } else if (nowMs >= stop.moldsToldAtMs + MOLD_GRACE_MS) {
    stop.moldsToldAtMs = nowMs;
    for (const mold of molds) draft.actions.push({ do: 'signal', pid: mold.pid ?? 0, signal: SIGKILL });
  }
  draft.actions.push({ do: 'wake', atMs: stop.moldsToldAtMs + MOLD_GRACE_MS });
  return true;
}

function dismissMold(draft: Draft, mold: MoldState): void {
  const { generation, pid, phase } = mold;
  if (phase === 'ready') {
    const message = { type: 'exit', final: generation === draft.state.generation } as const;
    draft.actions.push({ do: 'tell_mold', generation, message });
  } else if (phase !== 'failed') {
    // The mold is loading and does not read messages; it has no worker and no request.
    draft.actions.push({ do: 'signal', pid: pid ?? 0, signal: SIGKILL });
  }
  mold.phase = 'leaving';
}
