/** Decisions about workers: forking, draining, replacing with backoff. */
import { pauseMs, wasStable } from '../../rules/backoff.ts';
import * as crashLoop from './crash-loop.ts';
import { log, own, type Draft } from '../../herd/draft.ts';
import { describeEnding } from '../../herd/endings.ts';
import type { ExitCounters, Heartbeat } from '../../herd/events.ts';
import {
  freeSlot,
  isServing,
  MOST_WORKERS,
  type DeathsPart,
  type Ending,
  type WorkerState,
  leavesFirst,
} from '../../herd/state.ts';
import { isLasting, missing } from '../../herd/staffing.ts';
import * as predecessor from '../../herd/predecessor.ts';
import * as records from './worker-records.ts';
import * as tallying from './tallying.ts';
import * as stopping from './stopping.ts';
import { SIGKILL, SIGTERM } from '../../herd/signals.ts';

/** gunicorn's exit statuses (gunicorn/arbiter.py: WORKER_BOOT_ERROR, APP_LOAD_ERROR). */
const WORKER_BOOT_ERROR = 3;
const APP_LOAD_ERROR = 4;

/** The first death costs no pause; later pauses double, from the first to the longest. */
const PAUSES = { firstMs: 100, longestMs: 15_000, free: 1 };

/** A worker that stayed up this long ends a row of deaths. */
const STABLE_MS = 10_000;

/** A mold that does not answer a fork order within this time is stuck, and is killed. */
const FORK_ANSWER_MS = 60_000;

/** After this many deaths in a row, without one worker that was ever ready, the herd gives up. */
export function hopelessDeaths(target: number): number {
  return Math.max(6, 2 * target);
}

/** The pause before the next fork, after this many deaths in a row. */
export function pauseAfterDeathsMs(deathsInARow: number): number {
  return pauseMs(deathsInARow, PAUSES);
}

/** Orders missing workers, unless a backoff pause is running. */
export function fillHerd(draft: Draft): void {
  const { state, nowMs } = draft;
  endMoldsThatStandStill(draft);
  for (const { generation, count } of missing(state)) {
    const mold = state.molds[generation];
    if (count <= 0 || mold?.phase !== 'ready' || mold.pid === null || mold.listeners === null) continue;
    if (nowMs < state.forkNotBeforeMs) {
      draft.actions.push({ do: 'wake', atMs: state.forkNotBeforeMs });
      return;
    }
    for (let forks = count; forks > 0; forks -= 1) {
      const slot = freeSlot(state);
      records.order(draft, slot, generation);
      draft.actions.push({ do: 'tell_mold', generation, message: { type: 'fork', slot } });
    }
  }
}

/**
 * Kills molds that leave a fork order unanswered. The order is not repeated, because the mold might answer both; it
 * goes to the mold's successor.
 */
function endMoldsThatStandStill(draft: Draft): void {
  const { state, nowMs } = draft;
  const late = Object.entries(state.forking).filter(([, { askedAtMs }]) => nowMs - askedAtMs > FORK_ANSWER_MS);
  for (const [slot, { generation }] of late) records.order(draft, Number(slot), generation);
  for (const generation of new Set(late.map(([, fork]) => fork.generation))) {
    const mold = state.molds[generation];
    if (mold === undefined || mold.pid === null) continue;
    const seconds = FORK_ANSWER_MS / 1000;
    log(
      draft,
      'error',
      `The mold of generation ${generation} (pid ${mold.pid}) has not forked for ${seconds} s and is killed`,
    );
    draft.actions.push({ do: 'signal', pid: mold.pid, signal: SIGKILL });
  }
}

/** Marks a worker: it drains as soon as its replacement is ready. */
export function replace(draft: Draft, pid: number, reason: string): void {
  const worker = draft.state.workers[pid];
  if (worker === undefined || !isServing(worker)) return;
  records.mark(draft, pid, reason);
}

/** A request to replace one worker. One that is leaving already needs no mark. */
export function replaceAsked(draft: Draft, pid: number, by: string): void {
  const { state } = draft;
  const worker = state.workers[pid];
  if (worker === undefined || state.phase !== 'serving') {
    const text = worker === undefined ? `Worker ${pid} not found` : `the herd is ${state.phase}`;
    draft.answer = { accepted: false, text, generation: null };
    return;
  }
  draft.answer = { accepted: true, text: `Replacing worker ${pid} (slot ${worker.slot}): ${by}`, generation: null };
  log(draft, 'info', draft.answer.text);
  replace(draft, pid, `asked for by ${by}`);
}

/** Drains workers that are to be replaced, as far as others are ready. */
export function drainReplaced(draft: Draft): void {
  const { state } = draft;
  const replaced = Object.values(state.workers).filter(
    (worker) =>
      (worker.phase === 'ready' || worker.phase === 'booting') &&
      worker.replaceBecause !== null &&
      worker.pid !== state.rollout?.retiring?.pid,
  );
  let ready = Object.values(state.workers).filter((worker) => worker.phase === 'ready').length;
  for (const worker of replaced) {
    if (worker.phase === 'ready') {
      if (ready <= state.target) return;
      ready -= 1;
    }
    drain(draft, worker);
  }
}

/** Tells a worker to finish its requests and leave. */
export function drain(draft: Draft, worker: WorkerState): void {
  records.drains(draft, worker.pid);
  draft.actions.push({ do: 'signal', pid: worker.pid, signal: SIGTERM });
}

export function scaleTo(draft: Draft, wanted: number): void {
  const { state } = draft;
  const target = Math.min(MOST_WORKERS, wanted);
  if (state.phase !== 'serving') {
    draft.answer = { accepted: false, text: `the herd is ${state.phase}`, generation: null };
    return;
  }
  draft.answer = { accepted: true, text: `Scaling the herd to ${target} workers`, generation: null };
  if (target === state.target) return;
  records.want(draft, target);
  log(draft, 'info', draft.answer.text);
  tellWorkersWanted(draft);
  // A lower target may already be met.
  announceWhenComplete(draft);
}

/** For gunicorn's `nworkers_changed` hook, which runs in the mold. */
export function tellWorkersWanted(draft: Draft): void {
  for (const mold of Object.values(draft.state.molds)) {
    if (mold.pid === null || mold.phase !== 'ready') continue;
    draft.actions.push({
      do: 'tell_mold',
      generation: mold.generation,
      message: { type: 'workers_wanted', count: draft.state.target },
    });
  }
}

/**
 * Drains surplus workers, whatever the reason (a lower target, an aborted rollout, an adoption): first those that are
 * not ready, then the oldest. Called after every event.
 */
export function shrinkHerd(draft: Draft): void {
  const { state } = draft;
  const { rollout } = state;
  // While generations are exchanged a surplus is normal; the exchange drains old workers.
  const counted = Object.values(state.workers)
    .filter((worker) => isLasting(worker) && worker.phase !== 'aborted')
    .filter(
      (worker) =>
        rollout === null ||
        rollout.phase === 'mold' ||
        (worker.generation === rollout.to) === (rollout.phase === 'rolling'),
    )
    .toSorted(leavesFirst);
  for (const worker of counted.slice(0, Math.max(0, counted.length - state.target))) drain(draft, worker);
}

export function newWorker(pid: number, slot: number, generation: number, forkedAtMs: number): WorkerState {
  return {
    pid,
    slot,
    generation,
    phase: 'booting',
    forkedAtMs,
    readyAtMs: null,
    requestsFinished: 0,
    drainedAtMs: null,
    askedWhatItDoes: false,
    inFlight: null,
    replaceBecause: null,
    failure: null,
    abortedAtMs: null,
    stack: null,
  };
}

export function forked(draft: Draft, generation: number, slot: number, pid: number): void {
  const { state, nowMs } = draft;
  records.orderAnswered(draft, slot);
  const worker = newWorker(pid, slot, generation, nowMs);
  records.add(draft, worker);
  draft.actions.push({ do: 'watch_process', pid, role: 'worker', generation });
  if (state.phase === 'stopping') stopping.dismissWorker(draft, worker);
}

export function forkFailed(draft: Draft, slot: number, reason: string): void {
  const { state } = draft;
  records.orderAnswered(draft, slot);
  if (predecessor.serves(state)) {
    // There may be no room for two herds at once.
    stopping.fail(draft, 'WORKER_BOOT_FAILED', `the mold could not fork a worker: ${reason}`);
    return;
  }
  const deaths = own<DeathsPart>(draft);
  deaths.deathsInARow += 1;
  deaths.forkNotBeforeMs = draft.nowMs + pauseAfterDeathsMs(state.deathsInARow + 1);
  log(draft, 'error', `The mold could not fork a worker: ${reason}`);
}

export function ready(draft: Draft, pid: number): void {
  const worker = draft.state.workers[pid];
  if (worker === undefined || worker.phase !== 'booting') return;
  records.becameReady(draft, pid);
  own<DeathsPart>(draft).anyWorkerEverReady = true;
  announceWhenComplete(draft);
}

/** Announces, once, that as many workers as wanted are ready. */
export function announceWhenComplete(draft: Draft): void {
  const { state } = draft;
  const readyCount = Object.values(state.workers).filter((each) => each.phase === 'ready').length;
  if (!state.announcedReady && readyCount >= state.target) {
    own<DeathsPart>(draft).announcedReady = true;
    predecessor.takeOver(draft);
    draft.actions.push({ do: 'announce_serving' });
  }
}

export function failing(draft: Draft, pid: number, code: string, detail: string): void {
  records.failing(draft, pid, { code, detail });
}

/** Removes an ended worker from the herd; returns it if it was not told to leave. */
export function exited(
  draft: Draft,
  pid: number,
  ending: Ending,
  counters: ExitCounters | undefined,
): WorkerState | null {
  const { state } = draft;
  const worker = state.workers[pid];
  if (worker === undefined) return null;
  records.remove(draft, pid, counters?.requestsFinished ?? 0);
  tallying.workerGone(draft, worker.slot, counters);
  const mold = state.molds[worker.generation];
  if (mold !== undefined && mold.pid !== null) {
    draft.actions.push({
      do: 'tell_mold',
      generation: worker.generation,
      message: {
        type: 'worker_exited',
        pid,
        exit_status: ending.exitStatus,
        signal: ending.signal,
      },
    });
  }
  return state.phase === 'stopping' || worker.phase === 'draining' ? null : worker;
}

/** Whether the worker asked to be replaced: by the reloader, or by the application. */
export function leftByItself(worker: WorkerState, ending: Ending): boolean {
  return ending.exitStatus === 0 && worker.readyAtMs !== null && worker.abortedAtMs === null;
}

/** A worker has ended by itself: logs it, and after a death sets the pause before the next fork. */
export function replaceEnded(
  draft: Draft,
  worker: WorkerState,
  ending: Ending,
  counters: ExitCounters | undefined,
): void {
  if (leftByItself(worker, ending)) {
    log(draft, 'info', `Worker ${worker.pid} (slot ${worker.slot}) exited and is replaced`);
    return;
  }
  replaceDead(draft, worker, ending, counters);
}

/** The error that the worker reported before it failed, after a colon. */
export function whyOf(worker: WorkerState): string {
  return worker.failure === null ? '' : `: ${worker.failure.detail}`;
}

function replaceDead(draft: Draft, worker: WorkerState, ending: Ending, counters: ExitCounters | undefined): void {
  const { state, nowMs } = draft;
  const stable = wasStable(worker.readyAtMs, nowMs, STABLE_MS);
  own<DeathsPart>(draft).deathsInARow = stable ? 1 : state.deathsInARow + 1;
  const how = describeEnding(ending);
  const why = whyOf(worker);
  const inFlight = counters === undefined ? 0 : Math.max(0, counters.requestsStarted - counters.requestsFinished);
  const lost = inFlight === 0 ? '' : `, with ${inFlight} request(s) in flight`;
  log(draft, 'error', `Worker ${worker.pid} (slot ${worker.slot}) ${how}${lost}${why}`);
  crashLoop.died(draft, `${how}${lost}${why}`);

  const bootFailed = ending.exitStatus === WORKER_BOOT_ERROR || ending.exitStatus === APP_LOAD_ERROR;
  const isTrial = predecessor.serves(state) && worker.readyAtMs === null;
  if (isTrial || (bootFailed && !state.anyWorkerEverReady)) {
    const code = ending.exitStatus === APP_LOAD_ERROR ? 'APP_IMPORT_FAILED' : 'WORKER_BOOT_FAILED';
    stopping.fail(draft, code, worker.failure?.detail ?? `worker ${worker.pid} ${how}`);
    return;
  }
  // Not hopeless once any worker was ready: a request may be the killer, and a client can repeat it at will.
  const isHopeless = !state.anyWorkerEverReady && state.deathsInARow >= hopelessDeaths(state.target);
  if (isHopeless && state.settings?.exit_when_hopeless === true) {
    const last = `the last one ${how}${lost}${why}`;
    stopping.fail(
      draft,
      'WORKERS_KEEP_DYING',
      `${state.deathsInARow} workers in a row died, and none was ever ready; ${last}`,
    );
    return;
  }
  const pause = pauseAfterDeathsMs(state.deathsInARow);
  own<DeathsPart>(draft).forkNotBeforeMs = nowMs + pause;
  if (pause > 0) {
    log(
      draft,
      'warning',
      `${state.deathsInARow} workers died in a row; the next is forked in ${(pause / 1000).toFixed(1)} s`,
    );
  }
}

/** At least once a second: takes up the workers' counters, and ends a row of deaths. */
export function look(draft: Draft, heartbeats: readonly Heartbeat[]): void {
  const { state, nowMs } = draft;
  for (const { pid, requestsFinished } of heartbeats) records.counted(draft, pid, requestsFinished);
  const allStable = Object.values(state.workers).every((worker) => wasStable(worker.readyAtMs, nowMs, STABLE_MS));
  const full = Object.keys(state.workers).length >= state.target;
  if (state.deathsInARow > 0 && allStable && full) forgetDeaths(draft);
  crashLoop.endWhenOver(draft);
}

/** Earlier deaths say nothing of the workers that there are now. */
export function forgetDeaths(draft: Draft): void {
  own<DeathsPart>(draft).deathsInARow = 0;
}

/** The keeper has died: the herd is to be complete again before it is announced. */
export function startAfresh(draft: Draft): void {
  records.removeAll(draft);
  own<DeathsPart>(draft).announcedReady = false;
}
