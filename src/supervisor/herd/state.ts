/**
 * The supervisor's knowledge and the subject of its decisions: plain data, no handles, so that a decision can be tested
 * without a process.
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
  /** Whether the kernel killed a process for lack of memory at that moment; null or left out when unknown. */
  outOfMemory?: boolean | null;
}

export type MoldPhase = 'starting' | 'loading' | 'ready' | 'failed' | 'leaving';

export interface MoldState {
  generation: number;
  pid: number | null;
  phase: MoldPhase;
  /** This generation's configuration; `null` until the mold has reported it. */
  settings: Settings | null;
  /** Listening addresses, as shown to people; `null` until the keeper has reported them. */
  listeners: string[] | null;
  policy: string | null;
  remarks: { policy: string; reason: string }[];
  report: Record<string, unknown>;
  /** Since when the mold has yielded the processor to the serving workers while it loads; `null` when it does not. */
  backgroundSinceMs: number | null;
  /** When the mold process was started, and when it became ready, in supervisor milliseconds. */
  startedAtMs: number;
  readyAtMs: number | null;
  /** Policies that failed their self-test in this mold; its successor is told to leave them out. */
  rejectedPolicies: { policy: string; reason: string }[];
  /**
   * When the mold was told to leave, failed, or was last killed. It is killed, or killed again, a grace period later.
   */
  dismissedAtMs: number | null;
  /** How many application threads do something in this mold that no worker does, such as a scheduler's jobs. */
  threads: number;
  /**
   * Set when the mold must stay until every worker of a generation before this one has left: its threads may serve
   * those workers.
   */
  leavesAfterWorkersBefore: number | null;
  /** `null` until a census was requested. */
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
  /** As of the latest heartbeat. */
  requestsFinished: number;
  /**
   * When the worker was told to finish its requests and leave, or was last killed. It is killed, or killed again, after
   * the graceful timeout.
   */
  drainedAtMs: number | null;
  /** Whether the worker was asked about its requests in flight because it may soon be killed, and its answer. */
  askedWhatItDoes: boolean;
  inFlight: { requests: RequestInFlight[]; responseErrors: number; toldAtMs: number } | null;
  /** Why the worker is to be replaced; it leaves as soon as its replacement is ready. */
  replaceBecause: string | null;
  /** What the worker reported before it failed, if anything. */
  failure: { code: string; detail: string } | null;
  /** When the worker was told to end because it had been silent for too long. */
  abortedAtMs: number | null;
  /** Where the worker was stuck, once known. */
  stack: string | null;
}

export type RolloutKind = 'reload' | 'refork' | 'rollback';

/** The herd's transition from one generation to another. */
export interface Rollout {
  kind: RolloutKind;
  by: string;
  from: number;
  to: number;
  startedAtMs: number;
  /**
   * `mold`: the new mold is being prepared. `trial`: its first worker is tried. `rolling`: workers are exchanged, a few
   * at a time.
   */
  phase: 'mold' | 'trial' | 'rolling';
  /** Only in a refork: the worker that is to become the mold, until it has. */
  retiring: { pid: number; toldAtMs: number | null } | null;
  /** How many workers of the new generation have died so far. */
  deaths: number;
  /** The target before the rollout, restored if it fails. */
  targetBefore: number;
}

/** How a rollout ended; `failure` is `null` when it succeeded. */
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
  /** The error of the catalogue that made the herd stop. */
  error: { code: string; detail: string } | null;
  startedAtMs: number;
  quick: boolean;
  /** When the remaining workers are killed; moved on after each attempt. */
  killAtMs: number;
  moldsToldAtMs: number | null;
  keeperTold: boolean;
}

/** The most workers of a herd; also the bound of the setting (agent/cowherd_agent/mold/configuration.py). */
export const MOST_WORKERS = 1000;

export interface KeeperPulse {
  heardAtMs: number;
  /** Whether the keeper has been silent for so long that an error was logged. */
  isSilent: boolean;
  queues: ListenQueue[];
}

/** Connections that no worker has accepted yet. */
export interface ListenQueue {
  name: string;
  waiting: number;
  most: number;
}

/** See src/supervisor/herd/predecessor.ts. `leaving`: it was told to give way. `gone`: it ended without being told. */
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
  /** The serving generation, from whose mold workers are forked. */
  generation: number;
  /** The highest generation so far. */
  newestGeneration: number;
  rollout: Rollout | null;
  /** Who asked for a reload that could not begin yet; `null` when none is waiting. */
  reloadAgain: string | null;
  /** The generation before the last reload, whose mold is kept for a rollback. */
  previous: { generation: number; untilMs: number } | null;
  lastRollout: RolloutOutcome | null;
  molds: Record<number, MoldState>;
  /** After the death of a mold: when the next one is started, and the policies that it is told to leave out. */
  nextMold: { atMs: number; rejectedPolicies: MoldState['rejectedPolicies'] } | null;
  /** Mold deaths in a row, none after a long time of readiness. */
  moldDeathsInARow: number;
  workers: Record<number, WorkerState>;
  /** Slots with an unanswered fork order. `askedAtMs` is set again when the mold is killed for not answering. */
  forking: Record<number, { generation: number; askedAtMs: number }>;
  /** Worker deaths in a row without a worker that stayed up. */
  deathsInARow: number;
  /** No fork before this time: backoff after deaths. */
  forkNotBeforeMs: number;
  /** Set while workers die one after the other and none stays up. */
  crashLoop: { startedAtMs: number; deaths: number; lastError: string } | null;
  recycling: RecyclingState;
  refork: ReforkState;
  heal: HealState;
  /** Calls into the collector that guards have reported. */
  guardCalls: GuardCall[];
  anyWorkerEverReady: boolean;
  /** Requests answered by workers that have since ended. */
  requestsOfGone: number;
  announcedReady: boolean;
  stop: StopState | null;
  /** Set after the keeper has died; another one is started when the dead one's processes have left. */
  afresh: Afresh | null;
  /** Keeper deaths in a row, none after a long life. */
  keeperDeathsInARow: number;
  keeperReadyAtMs: number | null;
  /** The keeper's latest answer and its time; `null` while there is no keeper. */
  keeperPulse: KeeperPulse | null;
  /** The herd that this one replaces; `null` once it has left. */
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

/** The mold that new workers are forked from, if it exists and is ready. */
export function currentMold(state: HerdState): MoldState | null {
  const mold = state.molds[state.generation];
  return mold !== undefined && mold.phase === 'ready' && mold.pid !== null ? mold : null;
}

/** Whether the worker takes requests and should continue to. */
export function isServing(worker: WorkerState): boolean {
  return worker.phase === 'booting' || worker.phase === 'ready' || worker.phase === 'aborted';
}

/** The lowest slot without a worker or a pending fork. */
export function freeSlot(state: HerdState): number {
  const taken = new Set(Object.values(state.workers).map((worker) => worker.slot));
  for (const slot of Object.keys(state.forking)) taken.add(Number(slot));
  let slot = 0;
  while (taken.has(slot)) slot += 1;
  return slot;
}

/** The order in which workers leave: first those that are not ready, then the oldest. */
export function leavesFirst(a: WorkerState, b: WorkerState): number {
  return Number(a.phase === 'ready') - Number(b.phase === 'ready') || a.forkedAtMs - b.forkedAtMs;
}
