/** What gunicorn's command `show` answers, in gunicorn's own shapes (gunicorn/ctl/handlers.py, 25.1 to 27). Pure. */
import type { ControlSocket } from '../../agent/messages.ts';
import type { StatusReport, WorkerReport } from '../control/status.ts';
import type { KeeperPulse } from '../herd/state.ts';
import type { Asked } from './commands.ts';
import type { DirtyStatus } from './dirty-arbiter.ts';
import type { Tally } from './tally.ts';

type Json = Record<string, unknown>;

/** Of one moment. */
export interface Facts {
  readonly report: StatusReport;
  readonly tally: Pick<Tally, 'ageOf' | 'counts'>;
  readonly socket: ControlSocket;
  readonly pulse: KeeperPulse | null;
  /** What the dirty arbiter says of itself, where that is shown; null if there is none that answers. */
  readonly dirty: DirtyStatus | null;
}

export function show(what: Extract<Asked, { ask: 'show' }>['what'], facts: Facts): Json {
  switch (what) {
    case 'all':
      return showAll(facts);
    case 'workers':
      return showWorkers(facts);
    case 'dirty':
      return showDirty(facts);
    case 'config':
      return facts.socket.config;
    case 'stats':
      return showStats(facts);
    case 'listeners':
      break;
  }
  return showListeners(facts);
}

/** gunicorn shows no workers here, because its arbiter has only a copy from before there were any. */
function showDirty({ dirty, socket }: Facts): Json {
  if (dirty === null) return { enabled: false, pid: null, workers: [], apps: [] };
  const apps = dirty.apps.map((path) => {
    const pids = dirty.workers.filter((each) => each.apps.includes(path)).map(({ pid }) => pid);
    return {
      import_path: path,
      worker_count: limitOf(path, socket.config['dirty_apps']),
      current_workers: pids.length,
      worker_pids: pids,
    };
  });
  return { enabled: true, pid: dirty.arbiter_pid, workers: dirty.workers, apps };
}

/** The `2` of the setting `module:Class:2`; null without one. */
function limitOf(path: string, settings: unknown): number | null {
  const specs: unknown[] = Array.isArray(settings) ? settings : [];
  const spec = specs.find((each) => typeof each === 'string' && each.startsWith(`${path}:`));
  return typeof spec === 'string' ? Number(spec.slice(path.length + 1)) : null;
}

interface WorkerShown {
  pid: number;
  age: number;
  booted: boolean;
  aborted: boolean;
  last_heartbeat: number | null;
}

/** gunicorn's `booted` is what the arbiter's copy of the worker says, which is always false; this one is true. */
function workersOf({ report, tally }: Facts): WorkerShown[] {
  return report.workers
    .filter(({ state }) => state !== 'ended')
    .map((worker) => ({
      pid: worker.pid,
      age: tally.ageOf(worker.pid),
      booted: worker.state !== 'booting',
      aborted: worker.state === 'aborted',
      last_heartbeat: rounded(lastHeartbeat(worker)),
    }))
    .toSorted((a, b) => a.age - b.age);
}

function lastHeartbeat({ heartbeat_seconds_ago: seconds }: WorkerReport): number | null {
  return seconds === null ? null : Math.max(0, seconds);
}

function rounded(seconds: number | null): number | null {
  return seconds === null ? null : Math.round(seconds * 100) / 100;
}

function showWorkers(facts: Facts): Json {
  const workers = workersOf(facts);
  return { workers, count: workers.length };
}

function showAll(facts: Facts): Json {
  const workers = workersOf(facts).map(({ pid, age, booted, last_heartbeat }) => ({
    pid,
    type: 'web',
    age,
    booted,
    last_heartbeat,
  }));
  const dirty = facts.dirty?.arbiter_pid ?? null;
  const dirtyWorkers = facts.dirty?.workers ?? [];
  return {
    arbiter: { pid: facts.report.herd.supervisor.pid, type: 'arbiter', role: 'master' },
    web_workers: workers,
    web_worker_count: workers.length,
    dirty_arbiter: dirty === null ? null : { pid: dirty, type: 'dirty_arbiter', role: 'dirty master' },
    dirty_workers: dirtyWorkers,
    dirty_worker_count: dirtyWorkers.length,
  };
}

function showStats(facts: Facts): Json {
  const { herd } = facts.report;
  const { spawned, killed, reloads } = facts.tally.counts;
  return {
    uptime: rounded(herd.age_seconds),
    pid: herd.supervisor.pid,
    workers_current: workersOf(facts).length,
    workers_target: herd.workers_wanted,
    workers_spawned: spawned,
    workers_killed: killed,
    reloads,
    dirty_arbiter_pid: facts.dirty?.arbiter_pid ?? null,
  };
}

/** `fd` is the keeper's, which has the listeners. */
function showListeners({ report, socket, pulse }: Facts): Json {
  const listeners = report.herd.listeners.map((name) => ({
    address: socket.is_tls ? name.replace(/^http:/, 'https:') : name,
    fd: pulse?.queues.find((queue) => queue.name === name)?.descriptor ?? null,
    type: kindOf(name),
  }));
  return { listeners, count: listeners.length };
}

function kindOf(name: string): string {
  if (name.startsWith('unix:')) return 'unix';
  return name.startsWith('http://[') ? 'tcp6' : 'tcp';
}
