/**
 * What the supervisor knows and decides about: plain data, no handles, so that a decision can be
 * tested without a process.
 */
import type { RequestInFlight } from './request-in-flight.ts';
import type { Settings } from '../../agent/messages.ts';
import type { CensusState } from './census-state.ts';
import { startRecycling, type RecyclingState } from '../rules/recycling-state.ts';
import type { GuardCall } from './guard-calls.ts';
import { newHealState, type HealState } from '../rules/heal-state.ts';
import { newReforkState, type ReforkState } from '../rules/refork-state.ts';

/** How a process ended: exactly one of the first two is not null. */
export interface Ending {
  exitStatus: number | null;
  signal: number | null;
  /** The kernel has killed for lack of memory at that moment; null or left out: it is not known. */
  outOfMemory?: boolean | null;
}

export type MoldPhase = 'starting' | 'loading' | 'ready' | 'failed' | 'leaving';

export interface MoldState {
  generation: number;
  pid: number | null;
  phase: MoldPhase;
  /** What this generation was configured with; `null` until it has said so. */
  settings: Settings | null;
  /** Where it listens, as told to people; `null` until the keeper has said so. */
  listeners: string[] | null;
  policy: string | null;
  remarks: { policy: string; reason: string }[];
  report: Record<string, unknown>;
  /** Since when it gives way to the workers that serve while it loads; `null` when it does not. */
  backgroundSinceMs: number | null;
  /** When the mold process was started and became ready, in supervisor milliseconds. */
  startedAtMs: number;
  readyAtMs: number | null;
  /** Policies that failed their self-test in this mold, to be told to its successor. */
  rejectedPolicies: { policy: string; reason: string }[];
  /** When it was told to leave. */
  dismissedAtMs: number | null;
  /** How many threads of the application do something in this mold that no worker does: a scheduler's jobs, say. */
  threads: number;
  /** It is to leave when no worker of a generation before this one is left: its threads may serve them. */
  leavesAfterWorkersBefore: number | null;
  /** `null` until one was asked for. */
  census: CensusState | null;
}

/** `retiring`: finishing its requests, to become a mold. */
export type WorkerPhase = 'booting' | 'ready' | 'draining' | 'aborted' | 'retiring';

export interface WorkerState {
  pid: number;
  slot: number;
  generation: number;
  phase: WorkerPhase;
  forkedAtMs: number;
  readyAtMs: number | null;
  /** As of the latest tick. */
  requestsFinished: number;
  /** When it was told to finish its requests and leave. */
  drainedAtMs: number | null;
  /** It was asked what it is answering, since it may have to be killed soon; and what it has said. */
  askedWhatItDoes: boolean;
  inFlight: { requests: RequestInFlight[]; responseErrors: number; toldAtMs: number } | null;
  /** It is to leave as soon as another one is ready in its place, for this reason. */
  replaceBecause: string | null;
  /** What the worker said before it failed, if it did. */
  failure: { code: string; detail: string } | null;
  /** When it was told to end because it had been silent for too long. */
  abortedAtMs: number | null;
  /** Where it was stuck, once that is told. */
  stack: string | null;
}

export type RolloutKind = 'reload' | 'refork' | 'rollback';

/** The herd's way from one generation to another. */
export interface Rollout {
  kind: RolloutKind;
  by: string;
  from: number;
  to: number;
  startedAtMs: number;
  /** The new mold is made ready; its first worker is tried; workers are exchanged, a few at a time. */
  phase: 'mold' | 'trial' | 'rolling';
  /** Refork: the worker that is to become the mold, until it has. */
  retiring: { pid: number; toldAtMs: number | null } | null;
  /** Workers of the new generation that have died so far. */
  deaths: number;
  /** How many workers were wanted before, for when it fails. */
  targetBefore: number;
}

/** How a rollout ended; `failure` is `null` when it did what was asked. */
export interface RolloutOutcome {
  kind: RolloutKind;
  by: string;
  from: number;
  to: number;
  startedAtMs: number;
  endedAtMs: number;
  failure: string | null;
}

export type HerdPhase = 'starting' | 'serving' | 'stopping' | 'ended';

export interface StopState {
  exitStatus: number;
  /** An error of the catalogue that made the herd stop. */
  error: { code: string; detail: string } | null;
  startedAtMs: number;
  quick: boolean;
  /** When what is still there is killed. */
  killAtMs: number;
  moldsToldAtMs: number | null;
  keeperTold: boolean;
}

/** Of a herd; also the bound of the setting (agent/cowherd_agent/mold/configuration.py). */
export const MOST_WORKERS = 1000;

export interface KeeperPulse {
  heardAtMs: number;
  /** It has not answered for so long that it was told of. */
  isSilent: boolean;
  queues: ListenQueue[];
}

/** Connections that no worker has accepted yet. */
export interface ListenQueue {
  name: string;
  waiting: number;
  most: number;
}

/** See predecessor.ts. `leaving`: it was told to give way. `gone`: it has ended without being told. */
export interface Predecessor {
  keeperPid: number;
  protocol: number;
  phase: 'serving' | 'leaving' | 'gone';
}

export interface HerdState {
  phase: HerdPhase;
  settings: Settings | null;
  keeperPid: number | null;
  listeners: string[] | null;
  /** How many workers are wanted. */
  target: number;
  /** The generation that serves, and from whose mold workers are forked. */
  generation: number;
  /** The highest generation that there has been. */
  newestGeneration: number;
  rollout: Rollout | null;
  /** A reload was asked for while it could not begin, by this. */
  reloadAgain: string | null;
  /** The generation before the last reload, whose mold is kept for a rollback. */
  previous: { generation: number; untilMs: number } | null;
  lastRollout: RolloutOutcome | null;
  molds: Record<number, MoldState>;
  /** A mold has died and the next one is started at this time; it is told which policies to leave out. */
  nextMold: { atMs: number; rejectedPolicies: MoldState['rejectedPolicies'] } | null;
  /** Molds that died in a row, none of which had been ready for long. */
  moldDeathsInARow: number;
  workers: Record<number, WorkerState>;
  /** Slots for which a fork was asked and not yet answered. */
  forking: Record<number, { generation: number; askedAtMs: number }>;
  /** Deaths in a row without a worker that stayed up. */
  deathsInARow: number;
  /** No fork before this time: backoff after deaths. */
  forkNotBeforeMs: number;
  /** Workers die one after the other, none of which stayed up. */
  crashLoop: { startedAtMs: number; deaths: number; lastError: string } | null;
  recycling: RecyclingState;
  refork: ReforkState;
  heal: HealState;
  /** Calls into the collector that guards have told of. */
  guardCalls: GuardCall[];
  anyWorkerEverReady: boolean;
  /** Requests that workers which have ended had answered. */
  requestsOfGone: number;
  announcedReady: boolean;
  stop: StopState | null;
  /** The keeper has died, and another is started when its processes have left. */
  afresh: Afresh | null;
  /** Keepers that died in a row, none of which had been there for long. */
  keeperDeathsInARow: number;
  keeperReadyAtMs: number | null;
  /** When the keeper was heard last, and what it said; `null` while there is none. */
  keeperPulse: KeeperPulse | null;
  /** The herd whose place this one takes; `null` once that has left. */
  predecessor: Predecessor | null;
}

export interface Afresh {
  orphansGone: boolean;
  notBeforeMs: number;
}

export function initialState(): HerdState {
  return {
    phase: 'starting',
    settings: null,
    keeperPid: null,
    listeners: null,
    target: 0,
    generation: 0,
    newestGeneration: 0,
    rollout: null,
    reloadAgain: null,
    previous: null,
    lastRollout: null,
    molds: {},
    nextMold: null,
    moldDeathsInARow: 0,
    workers: {},
    forking: {},
    deathsInARow: 0,
    forkNotBeforeMs: 0,
    crashLoop: null,
    recycling: startRecycling(),
    refork: newReforkState(),
    heal: newHealState(),
    guardCalls: [],
    anyWorkerEverReady: false,
    requestsOfGone: 0,
    announcedReady: false,
    stop: null,
    afresh: null,
    keeperDeathsInARow: 0,
    keeperReadyAtMs: null,
    keeperPulse: null,
    predecessor: null,
  };
}

/** The mold that new workers are forked from, if it is there and ready. */
export function currentMold(state: HerdState): MoldState | null {
  const mold = state.molds[state.generation];
  return mold !== undefined && mold.phase === 'ready' && mold.pid !== null ? mold : null;
}

/** Whether it takes requests and shall go on to. */
export function isServing(worker: WorkerState): boolean {
  return worker.phase === 'booting' || worker.phase === 'ready' || worker.phase === 'aborted';
}

/** The lowest slot that no worker and no fork under way has. */
export function freeSlot(state: HerdState): number {
  const taken = new Set(Object.values(state.workers).map((worker) => worker.slot));
  for (const slot of Object.keys(state.forking)) taken.add(Number(slot));
  let slot = 0;
  while (taken.has(slot)) slot += 1;
  return slot;
}

/** The order in which workers leave: those that do not serve yet first, then the oldest. */
export function leavesFirst(a: WorkerState, b: WorkerState): number {
  return Number(a.phase === 'ready') - Number(b.phase === 'ready') || a.forkedAtMs - b.forkedAtMs;
}
