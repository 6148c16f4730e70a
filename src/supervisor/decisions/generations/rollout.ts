/**
 * Decisions about rollouts: the herd's transition from one generation to another, by a reload, a refork or a rollback.
 *
 * Capacity never falls: new workers are ready before as many old ones drain. Until the first of them is ready (the
 * trial), nothing is taken from the old generation; if the new one fails, the old one keeps serving.
 */
import { log, own, type Draft } from '../../herd/draft.ts';
import * as molds from '../processes/molds.ts';
import {
  currentMold,
  isServing,
  type Rollout,
  type RolloutKind,
  type RolloutPart,
  type WorkerState,
  leavesFirst,
} from '../../herd/state.ts';
import { readyWithoutReplaced } from '../../herd/staffing.ts';
import * as workers from '../processes/workers.ts';
import type { ProcessTotals } from '../../herd/tallies.ts';
import * as tallying from '../processes/tallying.ts';
import * as workerRecords from '../processes/worker-records.ts';
import { SIGKILL, SIGRETIRE } from '../../herd/signals.ts';
import type { Writable } from '../../herd/writable.ts';

/** How long the previous generation's mold is kept after a reload, for a rollback. */
export const KEEP_PREVIOUS_MS = 10 * 60_000;

/** How much longer than the graceful timeout a worker may take to finish its requests before it becomes a mold. */
const RETIRE_GRACE_MS = 10_000;

export const ROLLOUT_NAMES: Record<RolloutKind, string> = { reload: 'Reload', refork: 'Refork', rollback: 'Rollback' };

/** How many workers of the new generation may die while generations are exchanged. */
export function deathsAllowed(target: number): number {
  return Math.max(2, Math.floor(target / 2));
}

/** The worker that was told to become a mold can't, and keeps serving. */
export function retireRefused(draft: Draft, pid: number, reason: string): void {
  const { rollout } = own<RolloutPart>(draft);
  if (draft.state.workers[pid] === undefined || rollout?.retiring?.pid !== pid) return;
  workerRecords.servesOn(draft, pid);
  rollout.retiring.toldAtMs = null;
  abort(draft, reason);
}

/** Begins a rollout. */
export function begin(
  draft: Draft,
  what: Pick<Rollout, 'kind' | 'by' | 'from' | 'to' | 'phase'>,
  retiring: Rollout['retiring'],
): void {
  own<RolloutPart>(draft).rollout = {
    ...what,
    startedAtMs: draft.nowMs,
    retiring,
    deaths: 0,
    targetBefore: draft.state.target,
  };
}

/** After an adoption: the worker that was to become the mold has become it, or ends. */
export function retiringIsOver(draft: Draft): void {
  const { rollout } = own<RolloutPart>(draft);
  if (rollout !== null) rollout.retiring = null;
}

/** A worker has finished its requests and waits for the order to become a mold. */
export function retired(draft: Draft, pid: number, requestsFinished: number, totals: ProcessTotals | undefined): void {
  const { state } = draft;
  const worker = state.workers[pid];
  const { rollout } = own<RolloutPart>(draft);
  if (worker === undefined) return;
  if (rollout === null || rollout.retiring?.pid !== pid || state.phase !== 'serving') {
    draft.actions.push({ do: 'signal', pid, signal: SIGKILL });
    return;
  }
  workerRecords.remove(draft, pid, requestsFinished);
  if (totals !== undefined) tallying.workerRetired(draft, worker.slot, totals);
  // The mold has its pid already, so that its end is recognized even before the order.
  molds.add(draft, { ...molds.newMold(rollout.to, draft.nowMs, []), pid });
  rollout.retiring = null;
  const from = state.molds[worker.generation];
  if (from !== undefined && from.pid !== null) {
    draft.actions.push({
      do: 'tell_mold',
      generation: from.generation,
      message: { type: 'worker_retired', pid },
    });
  }
  draft.actions.push({ do: 'forget_process', pid }, { do: 'adopt_mold', pid, generation: rollout.to });
  molds.toBackground(draft, rollout.to, pid);
}

/** The mold of the new generation is ready to fork. */
export function moldReady(draft: Draft, generation: number): void {
  const { rollout } = own<RolloutPart>(draft);
  if (rollout === null || rollout.to !== generation || rollout.phase !== 'mold') return;
  rollout.phase = 'trial';
}

/** A worker of the new generation is ready. */
export function workerReady(draft: Draft, pid: number): void {
  const { state } = draft;
  const { rollout } = own<RolloutPart>(draft);
  const worker = state.workers[pid];
  if (rollout === null || rollout.phase !== 'trial' || worker?.generation !== rollout.to) return;
  if (worker.phase !== 'ready') return;
  rollout.phase = 'rolling';
  rollout.targetBefore = state.target;
  const before = state.settings;
  const { settings } = state.molds[rollout.to] ?? { settings: null };
  if (settings === null) return;
  // The configured number applies, unless it is unchanged: then `cowherd scale` stays in effect.
  if (before === null || before.workers !== settings.workers) {
    workerRecords.want(draft, Math.max(1, settings.workers));
  }
  molds.useSettings(draft, settings);
}

/** A worker has died. Returns whether this ended the rollout. */
export function workerDied(draft: Draft, worker: WorkerState, how: string): boolean {
  const { rollout } = own<RolloutPart>(draft);
  if (rollout === null) return false;
  if (rollout.retiring?.pid === worker.pid) {
    abort(draft, `the worker that was to become the mold ${how}`);
    return true;
  }
  if (worker.generation !== rollout.to) return false;
  rollout.deaths += 1;
  if (rollout.phase !== 'trial' && rollout.deaths <= deathsAllowed(draft.state.target)) return false;
  abort(draft, `worker ${worker.pid} of the new generation ${how}`);
  return true;
}

/** A mold has failed to become ready, or has died. Returns whether a rollout dealt with it. */
export function moldLost(draft: Draft, generation: number, how: string): boolean {
  const { state } = draft;
  const { rollout } = state;
  const wasPrevious = state.previous?.generation === generation;
  if (wasPrevious) own<RolloutPart>(draft).previous = null;
  if (rollout === null) return wasPrevious;
  if (rollout.to === generation) {
    abort(draft, `the new mold ${how}`);
    return true;
  }
  // No replacement can be forked for the worker that is to retire.
  if (rollout.from === generation && rollout.retiring?.toldAtMs === null) {
    abort(draft, `the mold of generation ${generation} ${how}`);
  }
  return false;
}

/** A fork failed. */
export function forkFailed(draft: Draft, generation: number, reason: string): void {
  const { rollout } = draft.state;
  if (rollout?.phase !== 'trial' || rollout.to !== generation) return;
  abort(draft, `the new mold could not fork a worker: ${reason}`);
}

/** Takes the next step, after every event. */
export function advance(draft: Draft): void {
  const { state } = draft;
  molds.dismissWithoutWorkers(draft);
  const { rollout } = own<RolloutPart>(draft);
  if (rollout === null) {
    letPreviousGo(draft);
    return;
  }
  if (rollout.retiring !== null) retire(draft, rollout);
  if (state.rollout?.phase === 'rolling') exchange(draft, state.rollout);
}

/** Ends a failed rollout: the old generation keeps serving. */
export function abort(draft: Draft, reason: string): void {
  const { state } = draft;
  const { rollout } = state;
  if (rollout === null) return;
  own<RolloutPart>(draft).rollout = null;
  remember(draft, rollout, reason);
  log(
    draft,
    'error',
    `${ROLLOUT_NAMES[rollout.kind]} to generation ${rollout.to} failed: ${reason}; generation ${rollout.from} keeps serving`,
  );
  if (rollout.phase === 'rolling') {
    const { settings } = state.molds[rollout.from] ?? { settings: null };
    workerRecords.want(draft, rollout.targetBefore);
    if (settings !== null) molds.useSettings(draft, settings);
  }
  for (const worker of Object.values(state.workers)) {
    if (worker.pid === rollout.retiring?.pid) {
      // A worker that was already told to retire can't serve again; any other is an ordinary worker.
      if (rollout.retiring.toldAtMs === null) workerRecords.mark(draft, worker.pid, null);
      else draft.actions.push({ do: 'signal', pid: worker.pid, signal: SIGKILL });
    }
    // Without a mold to fork replacements from, they serve until there is one.
    if (worker.generation === rollout.to && currentMold(state) !== null) {
      workers.replace(draft, worker.pid, `generation ${rollout.to} has failed`);
    }
  }
  if (rollout.kind === 'rollback') own<RolloutPart>(draft).previous = null;
  molds.dismiss(draft, rollout.to);
  if (rollout.kind === 'reload') molds.tellThreads(draft, 'resume_threads');
  keepListeners(draft);
}

/** The keeper has died, and both generations with it. */
export function lose(draft: Draft, reason: string): void {
  const { rollout } = draft.state;
  own<RolloutPart>(draft).rollout = null;
  own<RolloutPart>(draft).previous = null;
  if (rollout !== null) remember(draft, rollout, reason);
}

function retire(draft: Draft, rollout: Writable<Rollout>): void {
  const { state, nowMs } = draft;
  const { retiring } = rollout;
  if (retiring === null) return;
  const graceMs = (state.settings?.graceful_timeout_seconds ?? 30) * 1000 + RETIRE_GRACE_MS;
  if (retiring.toldAtMs === null) {
    if (readyWithoutReplaced(state) < state.target) return;
    retiring.toldAtMs = nowMs;
    workerRecords.retires(draft, retiring.pid);
    draft.actions.push({ do: 'signal', pid: retiring.pid, signal: SIGRETIRE }, { do: 'wake', atMs: nowMs + graceMs });
  } else if (nowMs >= retiring.toldAtMs + graceMs) {
    abort(draft, `worker ${retiring.pid} did not finish its requests in ${(graceMs / 1000).toFixed(0)} s`);
  } else {
    draft.actions.push({ do: 'wake', atMs: retiring.toldAtMs + graceMs });
  }
}

/** Drains as many old workers as new ones are ready for, and completes the rollout with the last one. */
function exchange(draft: Draft, rollout: Rollout): void {
  const { state } = draft;
  const serving = Object.values(state.workers).filter(isServing);
  const newReady = serving.filter((worker) => worker.generation === rollout.to && worker.phase === 'ready').length;
  const old = serving.filter((worker) => worker.generation !== rollout.to).toSorted(leavesFirst);
  let oldReady = old.filter((worker) => worker.phase === 'ready').length;
  let left = old.length;
  for (const worker of old) {
    if (worker.phase === 'ready') {
      if (newReady + oldReady <= state.target) break;
      oldReady -= 1;
    }
    left -= 1;
    workers.drain(draft, worker);
  }
  if (left === 0 && newReady >= state.target) complete(draft, rollout);
}

function complete(draft: Draft, rollout: Rollout): void {
  const { state, nowMs } = draft;
  molds.serveFrom(draft, rollout.to);
  own<RolloutPart>(draft).rollout = null;
  const { listeners } = state.molds[rollout.to] ?? { listeners: null };
  if (listeners !== null) molds.useListeners(draft, listeners);
  workers.forgetDeaths(draft);
  remember(draft, rollout, null);
  const seconds = ((nowMs - rollout.startedAtMs) / 1000).toFixed(1);
  log(draft, 'info', `${ROLLOUT_NAMES[rollout.kind]} done in ${seconds} s: generation ${rollout.to} serves`);
  own<RolloutPart>(draft).previous = null;
  const threaded = molds.withThreads(draft).filter(({ generation }) => generation !== rollout.to);
  const goesOn = rollout.kind === 'refork' ? threaded : [];
  for (const { generation, threads } of goesOn) {
    log(draft, 'info', `The mold of generation ${generation} stays: it runs ${threadsInWords(threads)}`);
  }
  if (rollout.kind === 'reload' && threaded.length > 0) {
    // The new mold has the same threads: their work would be done twice.
    const threads = threaded.reduce((sum, mold) => sum + mold.threads, 0);
    log(
      draft,
      'info',
      `No rollback to generation ${rollout.from}: its mold ends because it runs ${threadsInWords(threads)}`,
    );
  }
  for (const mold of Object.values(state.molds)) {
    if (mold.generation === rollout.to || goesOn.includes(mold)) continue;
    const isKept = rollout.kind === 'reload' && mold.generation === rollout.from && threaded.length === 0;
    if (isKept && mold.phase === 'ready') {
      own<RolloutPart>(draft).previous = { generation: mold.generation, untilMs: nowMs + KEEP_PREVIOUS_MS };
    } else if (threaded.includes(mold)) {
      molds.dismissAfterWorkers(draft, mold.generation, rollout.to);
    } else {
      molds.dismiss(draft, mold.generation);
    }
  }
  keepListeners(draft);
  workers.tellWorkersWanted(draft);
}

function threadsInWords(threads: number): string {
  return threads === 1 ? '1 thread of the application' : `${threads} threads of the application`;
}

function remember(draft: Draft, rollout: Rollout, failure: string | null): void {
  const { kind, by, from, to, startedAtMs } = rollout;
  const outcome = { kind, by, from, to, startedAtMs, endedAtMs: draft.nowMs, failure };
  own<RolloutPart>(draft).lastRollout = outcome;
  tallying.rolloutEnded(draft, kind, failure);
  draft.actions.push({ do: 'record_rollout', outcome });
}

/** Dismisses the mold kept for a rollback. */
export function dropPrevious(draft: Draft): void {
  const { state } = draft;
  if (state.previous === null) return;
  molds.dismiss(draft, state.previous.generation);
  own<RolloutPart>(draft).previous = null;
}

function letPreviousGo(draft: Draft): void {
  const { state, nowMs } = draft;
  if (state.previous === null || nowMs < state.previous.untilMs) return;
  log(draft, 'info', `Generation ${state.previous.generation} is no longer kept for a rollback`);
  dropPrevious(draft);
  keepListeners(draft);
}

/** Closes the listeners that no generation in use has. */
function keepListeners(draft: Draft): void {
  const { state } = draft;
  const generations = Object.values(state.molds)
    .filter((mold) => mold.phase !== 'leaving' && mold.phase !== 'failed')
    .map((mold) => mold.generation);
  // A dead mold's successor listens on the same addresses.
  if (!generations.includes(state.generation)) generations.push(state.generation);
  draft.actions.push({ do: 'keep_listeners', generations });
}
