/**
 * The output of `cowherd status --json`: a versioned format, made from plain data.
 *
 * Memory is in bytes, times are in seconds; docs/status.md describes every field. Fields may be added under one
 * version; a change of meaning raises it.
 */
import type { HostReport } from '../herd/host-memory.ts';
import { whyNotReady } from '../herd/readiness.ts';
import type { ScoreboardRow } from '../../agent/scoreboard.ts';
import type { GuardCall } from '../herd/guard-calls.ts';
import type { RecycleRule } from '../rules/recycling-state.ts';
import type { HerdState, MoldState, Predecessor, Rollout, RolloutKind, WorkerState } from '../herd/state.ts';

export const STATUS_VERSION = 1;

/** One process's memory; see `src/procfs/memory.ts` for the meaning of each figure. */
export interface MemoryReport {
  rss: number;
  pss: number;
  shared: number;
  private: number;
  unshared: number;
  fresh: number;
}

/** The latest sample of one process. */
export interface ProcessSample {
  memory: MemoryReport;
  minorFaults: number;
  majorFaults: number;
  sampledAtMs: number;
}

export interface WorkerReport {
  pid: number;
  slot: number;
  generation: number;
  /** `ended`: the process is gone, and the keeper has not reported it yet. */
  state: WorkerState['phase'] | 'ended';
  /** Why the worker is to be replaced; it leaves as soon as its replacement is ready. */
  replace_because: string | null;
  age_seconds: number;
  requests: number;
  in_flight: number;
  response_errors: number;
  /** `null` until the worker has been sampled. */
  memory: MemoryReport | null;
  minor_faults: number | null;
  major_faults: number | null;
  sampled_seconds_ago: number | null;
  heartbeat_seconds_ago: number | null;
  collections: {
    outside_requests: number;
    outside_requests_seconds: number;
    inside_requests: number;
    inside_requests_seconds: number;
    objects_freed: number;
  };
  guard: { held: number; reported: number };
}

/** How the last reload, refork or rollback ended; `failure` is null when it succeeded. */
export interface RolloutReport {
  kind: RolloutKind;
  by: string;
  from: number;
  to: number;
  seconds: number;
  ended_seconds_ago: number;
  failure: string | null;
}

/** Reforks since the code was loaded, by rule or by hand, and their measured wins in bytes. */
export interface ReforkReport {
  count: number;
  /** Why there are no more reforks by benefit. */
  stopped: string | null;
  /** Each measured when the new workers were as warm as their predecessors; the latest last. */
  wins: { generation: number; won: number; won_per_worker: number; estimated: number }[];
}

/** The results and the state of recycling. */
export interface RecyclingReport {
  /** How many workers each rule has replaced since the herd started. */
  counts: Record<RecycleRule, number>;
  /** Rules that were stopped because they would recycle forever. */
  stopped: { rule: RecycleRule; because: string }[];
  /** The herd's memory in bytes, and its limit by `herd_memory`; null without a limit. */
  budget: { used: number; limit: number } | null;
}

/** The results and the state of healing by rule. Bytes. */
export interface HealReport {
  /** The setting `heal`. */
  on: boolean;
  /** Number of heals since the herd started. */
  count: number;
  /** How long the current heal has been under way; null without one. */
  under_way_seconds: number | null;
  /** Why nothing is healed, or no longer. */
  stopped: string | null;
  /** The latest last. */
  wins: { won: number; estimated: number; seconds: number; ksmd_cpu_seconds: number | null }[];
}

export interface MoldReport {
  generation: number;
  pid: number | null;
  phase: MoldState['phase'];
  policy: string | null;
  ready_after_seconds: number | null;
  remarks: MoldState['remarks'];
  report: Record<string, unknown>;
  memory: MemoryReport | null;
}

export interface StatusReport {
  version: typeof STATUS_VERSION;
  herd: {
    phase: HerdState['phase'];
    app: string | null;
    policy: string | null;
    generation: number;
    rollout: { kind: RolloutKind; by: string; from: number; to: number; phase: Rollout['phase'] } | null;
    last_rollout: RolloutReport | null;
    /** Set while workers die soon after their start, one after the other. */
    crash_loop: { deaths: number; since_seconds: number; last_error: string; next_fork_in_seconds: number } | null;
    refork: ReforkReport;
    heal: HealReport;
    recycling: RecyclingReport;
    /** Who controls the garbage collector in workers. */
    guard_calls: readonly GuardCall[];
    workers_wanted: number;
    workers_ready: number;
    /** Why the herd should get no traffic; `null` when it is ready. */
    not_ready_because: string | null;
    requests: number;
    in_flight: number;
    age_seconds: number;
    listeners: readonly string[];
    /** Where `cowherd serve` was run. */
    folder: string;
    runtime_directory: string;
    python: string;
    supervisor: { pid: number; rss: number };
    /** `silent_seconds`: how long the keeper has not answered; `null` while it does. */
    keeper: { pid: number | null; rss: number | null; silent_seconds: number | null };
    /** Connections that no worker has accepted yet, by listener, and the limit. */
    listen_queues: { listener: string; waiting: number; most: number }[];
    /** The herd of another version that this one replaces; `null` when there is none. */
    predecessor: { keeper: number; protocol: number; phase: Predecessor['phase'] } | null;
    memory: {
      /** The molds and all sampled workers; the following fields cover only the workers. */
      pss: number;
      shared: number;
      private: number;
      unshared: number;
      fresh: number;
      workers_sampled: number;
      /** How much more the same processes would take if they shared nothing. */
      saved_against_sharing_nothing: number;
    };
    sampling: { budget_percent: number; spent_percent: number };
    host: HostReport;
  };
  molds: MoldReport[];
  workers: WorkerReport[];
}

export interface StatusInput {
  state: HerdState;
  nowMs: number;
  nowMonotonicNs: bigint;
  startedAtMs: number;
  folder: string;
  runtimeDirectory: string;
  python: string;
  supervisor: { pid: number; rss: number };
  keeperRss: number | null;
  sampleOf: (pid: number) => ProcessSample | null;
  rowOf: (pid: number) => ScoreboardRow | null;
  sampling: { budgetPercent: number; spentPercent: number };
  host: HostReport;
  isAlive: (pid: number) => boolean;
}

/** Pure: the report of one moment. */
export function statusReport(input: StatusInput): StatusReport {
  const { state } = input;
  const workers = Object.values(state.workers)
    .toSorted((a, b) => a.slot - b.slot)
    .map((worker) => workerReport(worker, input));
  const molds = Object.values(state.molds).map((mold) => moldReport(mold, input));
  const ready = workers.filter((worker) => worker.state === 'ready').length;
  return {
    version: STATUS_VERSION,
    herd: {
      phase: state.phase,
      app: state.settings?.app ?? null,
      policy: state.molds[state.generation]?.policy ?? null,
      generation: state.generation,
      rollout: rolloutReport(state),
      last_rollout: lastRolloutReport(state, input.nowMs),
      crash_loop: crashLoopReport(state, input.nowMs),
      refork: reforkReport(state),
      heal: healReport(state, input.nowMs),
      recycling: recyclingReport(state),
      guard_calls: state.guardCalls,
      workers_wanted: state.target,
      workers_ready: ready,
      not_ready_because: whyNotReady(state, ready),
      requests: workers.reduce((total, worker) => total + worker.requests, state.requestsOfGone),
      in_flight: workers.reduce((total, worker) => total + worker.in_flight, 0),
      age_seconds: (input.nowMs - input.startedAtMs) / 1000,
      listeners: state.listeners ?? [],
      folder: input.folder,
      runtime_directory: input.runtimeDirectory,
      python: input.python,
      supervisor: input.supervisor,
      keeper: { pid: state.keeperPid, rss: input.keeperRss, silent_seconds: keeperSilence(input) },
      listen_queues: (state.keeperPulse?.queues ?? []).map(({ name, waiting, most }) => ({
        listener: name,
        waiting,
        most,
      })),
      predecessor: predecessorReport(state),
      memory: herdMemory(memoriesOf(workers), memoriesOf(molds)),
      sampling: {
        budget_percent: input.sampling.budgetPercent,
        spent_percent: input.sampling.spentPercent,
      },
      host: input.host,
    },
    molds,
    workers,
  };
}

function predecessorReport({ predecessor }: HerdState): StatusReport['herd']['predecessor'] {
  if (predecessor === null) return null;
  const { keeperPid, protocol, phase } = predecessor;
  return { keeper: keeperPid, protocol, phase };
}

/** The memory of those processes that have been sampled. */
function memoriesOf(processes: readonly { memory: MemoryReport | null }[]): MemoryReport[] {
  return processes.flatMap(({ memory }) => memory ?? []);
}

function herdMemory(workers: readonly MemoryReport[], molds: readonly MemoryReport[]): StatusReport['herd']['memory'] {
  const sum = (of: readonly MemoryReport[], key: keyof MemoryReport): number =>
    of.reduce((total, memory) => total + memory[key], 0);
  const pss = sum(workers, 'pss') + sum(molds, 'pss');
  const rss = sum(workers, 'rss') + sum(molds, 'rss');
  return {
    pss,
    shared: sum(workers, 'shared'),
    private: sum(workers, 'private'),
    unshared: sum(workers, 'unshared'),
    fresh: sum(workers, 'fresh'),
    workers_sampled: workers.length,
    saved_against_sharing_nothing: Math.max(0, rss - pss),
  };
}

function keeperSilence({ state, nowMs }: StatusInput): number | null {
  const { keeperPulse } = state;
  return keeperPulse?.isSilent === true ? (nowMs - keeperPulse.heardAtMs) / 1000 : null;
}

function rolloutReport({ rollout }: HerdState): StatusReport['herd']['rollout'] {
  if (rollout === null) return null;
  const { kind, by, from, to, phase } = rollout;
  return { kind, by, from, to, phase };
}

function lastRolloutReport({ lastRollout }: HerdState, nowMs: number): RolloutReport | null {
  if (lastRollout === null) return null;
  const { kind, by, from, to, startedAtMs, endedAtMs, failure } = lastRollout;
  const seconds = (endedAtMs - startedAtMs) / 1000;
  return { kind, by, from, to, seconds, ended_seconds_ago: (nowMs - endedAtMs) / 1000, failure };
}

function crashLoopReport({ crashLoop, forkNotBeforeMs }: HerdState, nowMs: number): StatusReport['herd']['crash_loop'] {
  if (crashLoop === null) return null;
  return {
    deaths: crashLoop.deaths,
    since_seconds: (nowMs - crashLoop.startedAtMs) / 1000,
    last_error: crashLoop.lastError,
    next_fork_in_seconds: Math.max(0, (forkNotBeforeMs - nowMs) / 1000),
  };
}

function reforkReport({ refork: { rules } }: HerdState): ReforkReport {
  return {
    count: rules.reforks,
    stopped: rules.stoppedBecause,
    wins: rules.wins.map(({ generation, won, wonPerWorker, estimated }) => ({
      generation,
      won,
      won_per_worker: wonPerWorker,
      estimated,
    })),
  };
}

function healReport({ settings, heal: { rules, problem } }: HerdState, nowMs: number): HealReport {
  const { heal } = rules;
  return {
    on: settings?.heal === true,
    count: rules.heals,
    under_way_seconds: heal === null || heal.ended !== null ? null : (nowMs - heal.startedAtMs) / 1000,
    stopped: problem ?? rules.stoppedBecause,
    wins: rules.wins.map(({ won, estimated, tookMs, ksmdMs }) => ({
      won,
      estimated,
      seconds: tookMs / 1000,
      ksmd_cpu_seconds: ksmdMs === null ? null : ksmdMs / 1000,
    })),
  };
}

function recyclingReport({ recycling }: HerdState): RecyclingReport {
  const { counts, stopped, herd } = recycling;
  return { counts, stopped: stopped.map(({ rule, because }) => ({ rule, because })), budget: herd.budget };
}

function workerReport(worker: WorkerState, input: StatusInput): WorkerReport {
  const sample = input.sampleOf(worker.pid);
  const candidate = input.rowOf(worker.pid);
  // A row belongs to a worker only if it has the worker's pid.
  const row = candidate !== null && candidate.pid === worker.pid ? candidate : null;
  return {
    pid: worker.pid,
    slot: worker.slot,
    generation: worker.generation,
    // A stopped keeper does not report a worker's end.
    state: input.isAlive(worker.pid) ? worker.phase : 'ended',
    replace_because: worker.replaceBecause,
    age_seconds: (input.nowMs - worker.forkedAtMs) / 1000,
    requests: row?.requestsFinished ?? 0,
    in_flight: row === null ? 0 : Math.max(0, row.requestsStarted - row.requestsFinished),
    response_errors: row?.responseErrors ?? 0,
    memory: sample?.memory ?? null,
    minor_faults: sample?.minorFaults ?? null,
    major_faults: sample?.majorFaults ?? null,
    sampled_seconds_ago: sample === null ? null : (input.nowMs - sample.sampledAtMs) / 1000,
    heartbeat_seconds_ago: row === null ? null : Number(input.nowMonotonicNs - row.heartbeatMonotonicNs) / 1e9,
    collections: {
      outside_requests: row?.collectionsOutside ?? 0,
      outside_requests_seconds: row?.collectionsOutsideSeconds ?? 0,
      inside_requests: row?.collectionsInside ?? 0,
      inside_requests_seconds: row?.collectionsInsideSeconds ?? 0,
      objects_freed: row?.objectsFreed ?? 0,
    },
    guard: { held: row?.guardHeld ?? 0, reported: row?.guardReported ?? 0 },
  };
}

function moldReport(mold: MoldState, input: StatusInput): MoldReport {
  return {
    generation: mold.generation,
    pid: mold.pid,
    phase: mold.phase,
    policy: mold.policy,
    ready_after_seconds: mold.readyAtMs === null ? null : (mold.readyAtMs - mold.startedAtMs) / 1000,
    remarks: mold.remarks,
    report: mold.report,
    memory: mold.pid === null ? null : (input.sampleOf(mold.pid)?.memory ?? null),
  };
}
