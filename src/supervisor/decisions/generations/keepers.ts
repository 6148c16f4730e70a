/** Decisions about the keeper: the consequences of its death, and starting the herd again. */
import { pauseMs, wasStable } from '../../rules/backoff.ts';
import { log, own, type Draft } from '../../herd/draft.ts';
import type { HerdEvent } from '../../herd/events.ts';
import * as molds from '../processes/molds.ts';
import * as phase from '../processes/herd-phase.ts';
import * as predecessor from '../../herd/predecessor.ts';
import * as rollout from './rollout.ts';
import { forgetReload } from './rollout-requests.ts';
import type { KeeperPart, ListenQueue } from '../../herd/state.ts';
import * as stopping from '../processes/stopping.ts';
import * as tallying from '../processes/tallying.ts';
import * as workerRecords from '../processes/worker-records.ts';
import * as workers from '../processes/workers.ts';

type KeeperExited = Extract<HerdEvent, { type: 'keeper_exited' }>;

/** The first death costs no pause; later pauses double, from the first to the longest. */
const PAUSES = { firstMs: 1000, longestMs: 30_000, free: 1 };

/** A keeper that lived this long ends a row of deaths. */
const STABLE_MS = 60_000;

/** After this many keeper deaths in a row the supervisor gives up. */
export const HOPELESS_DEATHS = 5;

/** The pause before the next keeper, after this many deaths in a row. */
export function pauseAfterKeeperDeathsMs(deathsInARow: number): number {
  return pauseMs(deathsInARow, PAUSES);
}

/** A keeper answers within a millisecond; after this much silence it is considered stopped. */
export const SILENT_MS = 5000;

/** Once a second: asks the keeper whether it responds, and logs an error when it is silent. */
export function tick(draft: Draft): void {
  const { state, nowMs } = draft;
  const { keeperPulse: pulse } = own<KeeperPart>(draft);
  if (state.keeperPid === null || pulse === null) return;
  draft.actions.push({ do: 'ask_keeper' });
  if (pulse.isSilent || nowMs - pulse.heardAtMs < SILENT_MS) return;
  pulse.isSilent = true;
  log(
    draft,
    'error',
    `The keeper (pid ${state.keeperPid}) has not answered for ${(SILENT_MS / 1000).toFixed(0)} s:` +
      ' workers keep serving, but those that end are not replaced.' +
      ` If it was stopped, \`kill -CONT ${state.keeperPid}\` resumes it`,
  );
}

/** The keeper has answered. */
export function answered(draft: Draft, queues: ListenQueue[]): void {
  const { state, nowMs } = draft;
  const before = state.keeperPulse;
  own<KeeperPart>(draft).keeperPulse = { heardAtMs: nowMs, isSilent: false, queues };
  if (before?.isSilent !== true) return;
  const seconds = ((nowMs - before.heardAtMs) / 1000).toFixed(0);
  log(draft, 'info', `The keeper (pid ${state.keeperPid}) answers again after ${seconds} s`);
}

export function ready(draft: Draft, pid: number, adoptionProblem: string | null): void {
  const keeper = own<KeeperPart>(draft);
  keeper.keeperPid = pid;
  keeper.keeperReadyAtMs = draft.nowMs;
  keeper.keeperPulse = { heardAtMs: draft.nowMs, isSilent: false, queues: [] };
  tellAdoptionProblem(draft, adoptionProblem);
}

export function tellAdoptionProblem(draft: Draft, problem: string | null): void {
  if (problem === null) return;
  log(draft, 'warning', `If this supervisor is killed, no other can adopt its herd: ${problem}`);
}

/** The keeper is gone, and the listening sockets with it. */
export function exited(draft: Draft, { python, exitStatus, signal }: KeeperExited): void {
  const { state, nowMs } = draft;
  if (state.phase === 'stopping' && state.stop?.keeperTold === true) {
    stopping.conclude(draft);
    return;
  }
  // An adopted keeper is no child of this process, which learns only that it has ended.
  const how = signal !== null ? `was ended by ${signal}` : exitStatus === null ? 'ended' : `ended with ${exitStatus}`;
  if (state.keeperPid === null && state.keeperDeathsInARow === 0) {
    stopping.end(draft, 'PYTHON_NOT_FOUND', `${python} ${how} before the keeper ran; is it a working Python?`);
    return;
  }
  const keeper = state.keeperPid === null ? 'the new keeper' : `the keeper (pid ${state.keeperPid})`;
  // Workers notice that their parent is gone, finish their requests and leave.
  const workers = Object.keys(state.workers).map(Number);
  const molds = Object.values(state.molds).flatMap((mold) => (mold.pid === null ? [] : [mold.pid]));
  const pids = [...workers, ...molds];
  const isStable = wasStable(state.keeperReadyAtMs, nowMs, STABLE_MS);
  own<KeeperPart>(draft).keeperDeathsInARow = isStable ? 1 : state.keeperDeathsInARow + 1;
  const slots = Object.fromEntries(Object.values(state.workers).map(({ pid, slot }) => [pid, slot]));
  draft.actions.push({ do: 'wait_for_orphans', pids, slots });
  // While the predecessor serves, another keeper would have no sockets.
  const isHopeless = state.keeperDeathsInARow >= HOPELESS_DEATHS || predecessor.serves(state);
  if (state.phase === 'stopping' || isHopeless) {
    const times = state.keeperDeathsInARow > 1 ? `, the last of ${state.keeperDeathsInARow} in a row` : '';
    stopping.end(draft, 'KEEPER_DIED', `${keeper} ${how}${times}`);
    return;
  }
  log(
    draft,
    'error',
    `${capitalized(keeper)} ${how}; the listening sockets are lost. ${workers.length} worker(s) finish their` +
      ' requests and exit, then the herd starts again',
  );
  for (const pid of pids) draft.actions.push({ do: 'forget_process', pid });
  rollout.lose(draft, `${keeper} ${how}`);
  startAfresh(draft);
}

/** All is gone that the dead keeper held. */
function startAfresh(draft: Draft): void {
  phase.startAgain(draft);
  molds.startAfresh(draft);
  workers.startAfresh(draft);
  forgetReload(draft);
  predecessor.forget(draft);
  const part = own<KeeperPart>(draft);
  part.keeperPid = null;
  part.keeperReadyAtMs = null;
  part.keeperPulse = null;
  const notBeforeMs = draft.nowMs + pauseAfterKeeperDeathsMs(part.keeperDeathsInARow);
  part.afresh = { orphansGone: false, notBeforeMs };
}

type OrphansGone = Extract<HerdEvent, { type: 'orphans_gone' }>;

/** All processes of a dead keeper's herd are gone, so its addresses are free. */
export function orphansGone(draft: Draft, { requestsFinished, slots = [] }: OrphansGone): void {
  workerRecords.countGone(draft, requestsFinished);
  for (const { slot, counters } of slots) tallying.workerGone(draft, slot, counters);
  const { afresh } = own<KeeperPart>(draft);
  if (afresh !== null) afresh.orphansGone = true;
}

/** Starts the successor of a dead keeper. */
export function startNextWhenDue(draft: Draft): void {
  const { afresh } = draft.state;
  if (afresh === null || !afresh.orphansGone) return;
  if (draft.nowMs < afresh.notBeforeMs) {
    draft.actions.push({ do: 'wake', atMs: afresh.notBeforeMs });
    return;
  }
  own<KeeperPart>(draft).afresh = null;
  log(draft, 'info', 'Starting again with a new keeper');
  draft.actions.push({ do: 'start_keeper' });
}

function capitalized(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
