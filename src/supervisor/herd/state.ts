/**
 * The supervisor's knowledge and the subject of its decisions: plain data, no handles, so that a decision can be tested
 * without a process.
 */
import type { RequestInFlight } from './request-in-flight.ts';
import type { Settings } from '../../agent/messages.ts';
import { startRecycling, type RecyclingState } from '../rules/recycling-state.ts';
import type { GuardCall } from './guard-calls.ts';
import { newHealState, type HealState } from '../rules/heal-state.ts';
import { newReforkState, type ReforkState } from '../rules/refork-state.ts';
import { startTallies, type Tallies } from './tallies.ts';
import type { Writable } from './writable.ts';

/** How a process ended: exactly one of the first two is not null. */
export interface Ending {
  readonly exitStatus: number | null;
  readonly signal: number | null;
  /** Whether the kernel killed a process for lack of memory at that moment; null or left out when unknown. */
  readonly outOfMemory?: boolean | null;
}

export type MoldPhase = 'starting' | 'loading' | 'ready' | 'failed' | 'leaving';

/** Written by `decisions/processes/molds.ts` alone. */
export interface MoldState {
  readonly generation: number;
  readonly pid: number | null;
  readonly phase: MoldPhase;
  /** This generation's configuration; `null` until the mold has reported it. */
  readonly settings: Readonly<Settings> | null;
  /** Listening addresses, as shown to people; `null` until the keeper has reported them. */
  readonly listeners: readonly string[] | null;
  readonly policy: string | null;
  readonly remarks: readonly { readonly policy: string; readonly reason: string }[];
  readonly report: Readonly<Record<string, unknown>>;
  /** Since when the mold has yielded the processor to the serving workers while it loads; `null` when it does not. */
  readonly backgroundSinceMs: number | null;
  /** When the mold process was started, and when it became ready, in supervisor milliseconds. */
  readonly startedAtMs: number;
  readonly readyAtMs: number | null;
  /** Policies that failed their self-test in this mold; its successor is told to leave them out. */
  readonly rejectedPolicies: readonly { readonly policy: string; readonly reason: string }[];
  /**
   * When the mold was told to leave, failed, or was last killed. It is killed, or killed again, a grace period later.
   */
  readonly dismissedAtMs: number | null;
  /** How many application threads do something in this mold that no worker does, such as a scheduler's jobs. */
  readonly threads: number;
  /**
   * Set when the mold must stay until every worker of a generation before this one has left: its threads may serve
   * those workers.
   */
  readonly leavesAfterWorkersBefore: number | null;
}

/** `retiring`: finishing its requests, to become a mold. */
export type WorkerPhase = 'booting' | 'ready' | 'draining' | 'aborted' | 'retiring';

/** Written by `decisions/processes/worker-records.ts` alone. */
export interface WorkerState {
  readonly pid: number;
  readonly slot: number;
  readonly generation: number;
  readonly phase: WorkerPhase;
  readonly forkedAtMs: number;
  readonly readyAtMs: number | null;
  /** As of the latest heartbeat. */
  readonly requestsFinished: number;
  /**
   * When the worker was told to finish its requests and leave, or was last killed. It is killed, or killed again, after
   * the graceful timeout.
   */
  readonly drainedAtMs: number | null;
  /** Whether the worker was asked about its requests in flight because it may soon be killed, and its answer. */
  readonly askedWhatItDoes: boolean;
  readonly inFlight: {
    readonly requests: readonly RequestInFlight[];
    readonly responseErrors: number;
    readonly toldAtMs: number;
  } | null;
  /** Why the worker is to be replaced; it leaves as soon as its replacement is ready. */
  readonly replaceBecause: string | null;
  /** What the worker reported before it failed, if anything. */
  readonly failure: { readonly code: string; readonly detail: string } | null;
  /** When the worker was told to end because it had been silent for too long. */
  readonly abortedAtMs: number | null;
  /** Where the worker was stuck, once known. */
  readonly stack: string | null;
}

export type RolloutKind = 'reload' | 'refork' | 'rollback';

/** The herd's transition from one generation to another. Written by `decisions/generations/rollout.ts` alone. */
export interface Rollout {
  readonly kind: RolloutKind;
  readonly by: string;
  readonly from: number;
  readonly to: number;
  readonly startedAtMs: number;
  /**
   * `mold`: the new mold is being prepared. `trial`: its first worker is tried. `rolling`: workers are exchanged, a few
   * at a time.
   */
  readonly phase: 'mold' | 'trial' | 'rolling';
  /** Only in a refork: the worker that is to become the mold, until it has. */
  readonly retiring: { readonly pid: number; readonly toldAtMs: number | null } | null;
  /** How many workers of the new generation have died so far. */
  readonly deaths: number;
  /** The target before the rollout, restored if it fails. */
  readonly targetBefore: number;
}

/** How a rollout ended; `failure` is `null` when it succeeded. */
export interface RolloutOutcome {
  readonly kind: RolloutKind;
  readonly by: string;
  readonly from: number;
  readonly to: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly failure: string | null;
}

export type HerdPhase = 'starting' | 'serving' | 'stopping' | 'ended';

export interface StopState {
  readonly exitStatus: number;
  /** The error of the catalogue that made the herd stop. */
  readonly error: { readonly code: string; readonly detail: string } | null;
  readonly startedAtMs: number;
  readonly quick: boolean;
  /** When the remaining workers are killed; moved on after each attempt. */
  readonly killAtMs: number;
  readonly moldsToldAtMs: number | null;
  readonly keeperTold: boolean;
}

/** The most workers of a herd; also the bound of the setting (agent/cowherd_agent/mold/gunicorn_settings.py). */
export const MOST_WORKERS = 1000;

export interface KeeperPulse {
  readonly heardAtMs: number;
  /** Whether the keeper has been silent for so long that an error was logged. */
  readonly isSilent: boolean;
  readonly queues: readonly ListenQueue[];
}

/** Connections that no worker has accepted yet. */
export interface ListenQueue {
  readonly name: string;
  readonly waiting: number;
  readonly most: number;
  /** The keeper's descriptor of the listener. */
  readonly descriptor?: number | undefined;
}

/** See src/supervisor/herd/predecessor.ts. `leaving`: it was told to give way. `gone`: it ended without being told. */
export interface Predecessor {
  readonly keeperPid: number;
  readonly protocol: number;
  readonly phase: 'serving' | 'leaving' | 'gone';
}

/** Written by `decisions/processes/herd-phase.ts` alone. */
export interface PhasePart {
  readonly phase: HerdPhase;
}

/** Written by `decisions/processes/stopping.ts` alone. */
export interface StopPart {
  readonly stop: StopState | null;
}

/** The keeper, and what follows its death. Written by `decisions/generations/keepers.ts` alone. */
export interface KeeperPart {
  readonly keeperPid: number | null;
  readonly keeperReadyAtMs: number | null;
  /** Keeper deaths in a row, none after a long life. */
  readonly keeperDeathsInARow: number;
  /** The keeper's latest answer and its time; `null` while there is no keeper. */
  readonly keeperPulse: KeeperPulse | null;
  /** Set after the keeper has died; another one is started when the dead one's processes have left. */
  readonly afresh: Afresh | null;
}

/** The molds, and what the serving one has brought. Written by `decisions/processes/molds.ts` alone. */
export interface MoldsPart {
  readonly molds: Readonly<Record<number, MoldState>>;
  /** The serving generation, from whose mold workers are forked. */
  readonly generation: number;
  /** The highest generation so far. */
  readonly newestGeneration: number;
  readonly settings: Readonly<Settings> | null;
  readonly listeners: readonly string[] | null;
  /** After the death of a mold: when the next one is started, and the policies that it is told to leave out. */
  readonly nextMold: { readonly atMs: number; readonly rejectedPolicies: MoldState['rejectedPolicies'] } | null;
  /** Mold deaths in a row, none after a long time of readiness. */
  readonly moldDeathsInARow: number;
}

/** Which workers are wanted, ordered, there and gone. Written by `decisions/processes/worker-records.ts` alone. */
export interface WorkersPart {
  /** How many workers are wanted. */
  readonly target: number;
  readonly workers: Readonly<Record<number, WorkerState>>;
  /** Slots with an unanswered fork order. `askedAtMs` is set again when the mold is killed for not answering. */
  readonly forking: Readonly<Record<number, { readonly generation: number; readonly askedAtMs: number }>>;
  /** Requests answered by workers that have since ended. */
  readonly requestsOfGone: number;
}

/** Whether workers stay up. Written by `decisions/processes/workers.ts` alone. */
export interface DeathsPart {
  /** Worker deaths in a row without a worker that stayed up. */
  readonly deathsInARow: number;
  /** No fork before this time: backoff after deaths. */
  readonly forkNotBeforeMs: number;
  readonly anyWorkerEverReady: boolean;
  readonly announcedReady: boolean;
}

/** Written by `decisions/processes/crash-loop.ts` alone. */
export interface CrashLoopPart {
  /** Set while workers die one after the other and none stays up. */
  readonly crashLoop: { readonly startedAtMs: number; readonly deaths: number; readonly lastError: string } | null;
}

/** The rollouts under way and past. Written by `decisions/generations/rollout.ts` alone. */
export interface RolloutPart {
  readonly rollout: Rollout | null;
  /** The generation before the last reload, whose mold is kept for a rollback. */
  readonly previous: { readonly generation: number; readonly untilMs: number } | null;
  readonly lastRollout: RolloutOutcome | null;
}

/** Written by `decisions/generations/rollout-requests.ts` alone. */
export interface DelayedReloadPart {
  /** Who asked for a reload that could not begin yet; `null` when none is waiting. */
  readonly reloadAgain: string | null;
}

/** Written by `decisions/upkeep/recycling.ts` alone. */
export interface RecyclingPart {
  readonly recycling: RecyclingState;
}

/** Written by `decisions/upkeep/refork.ts` alone. */
export interface ReforkPart {
  readonly refork: ReforkState;
}

/** Written by `decisions/upkeep/heal.ts` alone. */
export interface HealPart {
  readonly heal: HealState;
}

/** Written by `decisions/decide.ts` alone. */
export interface GuardPart {
  /** Calls into the collector that guards have reported. */
  readonly guardCalls: readonly GuardCall[];
}

/** Written by `decisions/processes/tallying.ts` alone. */
export interface TalliesPart {
  readonly tallies: Tallies;
}

/** Written by `herd/predecessor.ts` alone. */
export interface PredecessorPart {
  /** The herd that this one replaces; `null` once it has left. */
  readonly predecessor: Predecessor | null;
}

/**
 * The whole state. Every part has one owner, named in its type. All else sees it as it is declared, readonly, and asks
 * the owner for a change; `own` in draft.ts gives the owner its part to write.
 */
export interface HerdState
  extends
    PhasePart,
    StopPart,
    KeeperPart,
    MoldsPart,
    WorkersPart,
    DeathsPart,
    CrashLoopPart,
    RolloutPart,
    DelayedReloadPart,
    RecyclingPart,
    ReforkPart,
    HealPart,
    GuardPart,
    TalliesPart,
    PredecessorPart {}

export interface Afresh {
  readonly orphansGone: boolean;
  readonly notBeforeMs: number;
}

/** A new state, which the caller may complete. */
export function initialState(): Writable<HerdState> {
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
    tallies: startTallies(),
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
