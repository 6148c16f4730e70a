/** Requests for a rollout: whether it may begin, what it waits for, and how it begins. */
import { log, own, type Draft } from '../../herd/draft.ts';
import * as molds from '../processes/molds.ts';
import { nextMold } from './next-mold.ts';
import * as predecessor from '../../herd/predecessor.ts';
import * as rollout from './rollout.ts';
import { currentMold, type DelayedReloadPart, type Rollout, type RolloutKind } from '../../herd/state.ts';
import * as workers from '../processes/workers.ts';

/** `cowherd reload`, SIGHUP: new code and new settings, from a newly started mold. */
export function requestReload(draft: Draft, by: string): void {
  const { state } = draft;
  if (!mayBegin(draft, 'reload')) return;
  if (state.rollout !== null) {
    // The files on disk may be newer than those that the mold under way has read.
    own<DelayedReloadPart>(draft).reloadAgain = by;
    answer(draft, true, `A ${state.rollout.kind} is under way; this reload follows it`);
    return;
  }
  const mold = state.molds[state.generation];
  if (currentMold(state) === null) {
    // The replacement of a dead mold reads the files on disk.
    if (mold === undefined) molds.startNextAfter(draft, 0, []);
    else own<DelayedReloadPart>(draft).reloadAgain = by;
    answer(draft, true, 'There is no current mold to fall back on: the next one is started now');
    return;
  }
  rollout.dropPrevious(draft);
  molds.tellThreads(draft, 'pause_threads');
  const to = molds.start(draft, [], 'reload');
  begin(draft, { kind: 'reload', by, from: state.generation, to, phase: 'mold' });
}

/** `cowherd rollback`: back to the generation before the last reload; during a rollout it aborts that. */
export function requestRollback(draft: Draft, by: string): void {
  const { state } = draft;
  if (!mayBegin(draft, 'rollback')) return;
  if (state.rollout !== null) {
    const { kind } = state.rollout;
    forgetReload(draft);
    rollout.abort(draft, `canceled by ${by}`);
    answer(draft, true, `Canceled the ${kind} under way`);
    return;
  }
  const to = state.previous?.generation ?? null;
  if (to === null || state.molds[to]?.phase !== 'ready') {
    answer(draft, false, 'the previous generation is no longer available');
    return;
  }
  begin(draft, { kind: 'rollback', by, from: state.generation, to, phase: 'trial' });
}

/** `cowherd refork`, SIGUSR2, or by rule: a warmed worker becomes the mold of the next generation. */
export function requestRefork(draft: Draft, by: string): void {
  const { state } = draft;
  if (!mayBegin(draft, 'refork')) return;
  if (state.rollout !== null) {
    answer(draft, false, `a ${state.rollout.kind} is under way`);
    return;
  }
  const chosen = nextMold(state);
  if (currentMold(state) === null || chosen === null) {
    answer(draft, false, 'no worker of the current generation is ready to become a mold');
    return;
  }
  rollout.dropPrevious(draft);
  const to = molds.nextGeneration(draft);
  begin(draft, { kind: 'refork', by, from: state.generation, to, phase: 'mold' }, { pid: chosen.pid, toldAtMs: null });
  workers.replace(draft, chosen.pid, 'it becomes the next mold');
}

function mayBegin(draft: Draft, what: RolloutKind): boolean {
  const { state } = draft;
  if (state.phase === 'serving' && !predecessor.serves(state)) return true;
  const doing = state.phase === 'serving' ? 'taking over from another' : state.phase;
  answer(draft, false, `no ${what} while the herd is ${doing}`);
  return false;
}

function begin(
  draft: Draft,
  what: Pick<Rollout, 'kind' | 'by' | 'from' | 'to' | 'phase'>,
  retiring: Rollout['retiring'] = null,
): void {
  rollout.begin(draft, what, retiring);
  log(draft, 'info', `${rollout.ROLLOUT_NAMES[what.kind]} (${what.by}): generation ${what.from} to ${what.to}`);
  answer(draft, true, `${rollout.ROLLOUT_NAMES[what.kind]} to generation ${what.to} has begun`, what.to);
}

function answer(draft: Draft, accepted: boolean, text: string, generation: number | null = null): void {
  draft.answer = { accepted, text, generation };
  if (!accepted) log(draft, 'warning', `Refused: ${text}`);
}

/** Begins a reload that could not begin when it was requested, if it can begin now. */
export function takeUpDelayedReload(draft: Draft): void {
  const { state } = draft;
  if (state.rollout !== null || state.reloadAgain === null || currentMold(state) === null) return;
  const by = state.reloadAgain;
  forgetReload(draft);
  requestReload(draft, by);
}

/** No reload is to follow any more. */
export function forgetReload(draft: Draft): void {
  own<DelayedReloadPart>(draft).reloadAgain = null;
}
