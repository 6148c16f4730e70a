/** For tests: typical settings, a mold, a worker and a rollout, and summaries of actions. */
import type { Settings } from '../../agent/messages.ts';
import { DURATION_BOUNDS_SECONDS, type ScoreboardRow } from '../../agent/scoreboard.ts';
import type { Action } from '../herd/events.ts';
import { newMold } from '../decisions/processes/molds.ts';
import type { MoldState, Rollout, WorkerState } from '../herd/state.ts';
import { newWorker } from '../decisions/processes/workers.ts';

export const sampleSettings: Settings = {
  app: 'shop.wsgi',
  proc_name: 'shop',
  chdir: '/srv/shop',
  addresses: [{ kind: 'tcp', host: '127.0.0.1', port: 8000 }],
  backlog: 2048,
  reuse_port: false,
  umask: 0,
  uid: 0,
  gid: 0,
  workers: 2,
  threads: 1,
  worker_class: 'sync',
  timeout_seconds: 30,
  graceful_timeout_seconds: 20,
  pidfile: null,
  daemon: false,
  reload: false,
  log_level: 'info',
  heap_policy: 'auto',
  warmup: [],
  gc_guard: 'hold',
  sampling_budget_percent: 1,
  errorlog: '-',
  boot_timeout_seconds: 0,
  max_requests: 0,
  max_requests_jitter: 0,
  refork_after: [],
  refork_by_benefit: false,
  exit_when_hopeless: false,
  heal: false,
  recycle_private_bytes: 0,
  recycle_pss_bytes: 0,
  recycle_rss_bytes: 0,
  recycle_samples: 3,
  recycle_age_seconds: 0,
  recycle_age_jitter_seconds: 0,
  herd_memory: 'off',
  metrics: null,
  metrics_token_file: null,
};

export function sampleMold(generation: number, changes: Partial<MoldState> = {}): MoldState {
  return { ...newMold(generation, 0, []), phase: 'ready', readyAtMs: 1, ...changes };
}

export function sampleWorker(pid: number, slot: number, changes: Partial<WorkerState> = {}): WorkerState {
  return { ...newWorker(pid, slot, 1, 4000), phase: 'ready', readyAtMs: 4100, ...changes };
}

const SECOND_NS = 1_000_000_000n;

/** A worker's counters: 12 requests begun, 10 answered, 8 of them within 5 ms. */
export function sampleRow(pid: number, changes: Partial<ScoreboardRow> = {}): ScoreboardRow {
  return {
    pid,
    generation: 1,
    state: 'ready',
    forkedMonotonicNs: 4n * SECOND_NS,
    readyMonotonicNs: 4n * SECOND_NS,
    heartbeatMonotonicNs: 9n * SECOND_NS,
    requestsStarted: 12,
    requestsFinished: 10,
    collectionsOutside: 3,
    collectionsOutsideSeconds: 0.25,
    collectionsInside: 1,
    collectionsInsideSeconds: 0.5,
    guardHeld: 4,
    guardReported: 5,
    objectsFreed: 600,
    responseErrors: 2,
    busySeconds: 1.5,
    busySinceMonotonicNs: 0n,
    durationSeconds: 2,
    durationBuckets: [8, ...DURATION_BOUNDS_SECONDS.slice(1).map(() => 0), 2],
    ...changes,
  };
}

/** A reload whose mold is being prepared. */
export function sampleRollout(changes: Partial<Rollout> = {}): Rollout {
  return {
    kind: 'reload',
    by: 'SIGHUP',
    from: 1,
    to: 2,
    startedAtMs: 0,
    phase: 'mold',
    retiring: null,
    deaths: 0,
    targetBefore: 2,
    ...changes,
  };
}

/** The slots for which forks are ordered. */
export function forksIn(actions: readonly Action[]): number[] {
  return actions.flatMap((action) =>
    action.do === 'tell_mold' && action.message.type === 'fork' ? [action.message.slot] : [],
  );
}

/** Each signal with the process that receives it. */
export function signalsIn(actions: readonly Action[]): [pid: number, signal: number][] {
  return actions.flatMap((action): [number, number][] => (action.do === 'signal' ? [[action.pid, action.signal]] : []));
}
