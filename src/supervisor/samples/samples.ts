/** Plain data for tests: settings, a mold and a worker as they usually are. */
import type { Settings } from '../../agent/messages.ts';
import { newMold } from '../molds.ts';
import type { MoldState, WorkerState } from '../state.ts';

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
  recycle_private_bytes: 0,
  recycle_pss_bytes: 0,
  recycle_rss_bytes: 0,
  recycle_samples: 3,
  recycle_age_seconds: 0,
  recycle_age_jitter_seconds: 0,
  herd_memory: 'off',
};

export function sampleMold(generation: number, changes: Partial<MoldState> = {}): MoldState {
  return { ...newMold(generation, 0, []), phase: 'ready', readyAtMs: 1, ...changes };
}

export function sampleWorker(pid: number, slot: number, changes: Partial<WorkerState> = {}): WorkerState {
  return {
    pid,
    slot,
    generation: 1,
    phase: 'ready',
    forkedAtMs: 4000,
    readyAtMs: 4100,
    requestsFinished: 0,
    drainedAtMs: null,
    askedWhatItDoes: false,
    inFlight: null,
    replaceBecause: null,
    failure: null,
    abortedAtMs: null,
    stack: null,
    ...changes,
  };
}
