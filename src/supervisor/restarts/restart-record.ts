/**
 * The effects of a restart on the host: turns the readings taken during a reload, refork, rollback or stop into the
 * record that `cowherd history` lists. Pure; `restart-recorder.ts` reads and writes.
 *
 * Memory is in bytes, times are in seconds. Fields may be added under one version.
 */
import type { RolloutKind } from '../herd/state.ts';

export const RECORD_VERSION = 1;

/** How many processes are named, those with the most faults; the sums include all. */
const MOST_PROCESSES = 20;

export type RestartKind = RolloutKind | 'stop';
export type ProcessRole = 'supervisor' | 'keeper' | 'mold' | 'worker' | 'other';

/** The memory of the host (/proc/meminfo); in a container too, although its limit is the cgroup's. */
export interface HostMemory {
  total: number;
  free: number;
  available: number;
  /** The page cache. */
  cached: number;
}

/** The counts of one process since it was started. */
export interface ProcessReading {
  pid: number;
  role: ProcessRole;
  generation: number | null;
  minorFaults: number;
  majorFaults: number;
  requestsFinished: number;
  responseErrors: number;
}

export interface RestartRecord {
  version: typeof RECORD_VERSION;
  kind: RestartKind;
  /** Who or what requested the restart. */
  by: string;
  from: number;
  /** `null` for a stop. */
  to: number | null;
  /** Wall clock, ISO 8601. */
  started: string;
  /** Until the other generation served or the attempt was given up; for a stop, until the herd was gone. */
  duration_seconds: number;
  /** Until the last process that the restart ended had left, too. */
  settled_seconds: number;
  /** `null` if the restart succeeded. */
  failure: string | null;
  workers: number;
  host: {
    memory_total: number;
    memory_free_before: number;
    memory_free_lowest: number;
    memory_available_before: number;
    memory_available_lowest: number;
    page_cache_before: number;
    /** From its value at the beginning to its lowest. */
    page_cache_lost: number;
  } | null;
  /** Covers the sampled processes; `null` if there were none. */
  herd_pss_peak: number | null;
  faults: {
    minor: number;
    major: number;
    processes: { pid: number; role: ProcessRole; generation: number | null; minor: number; major: number }[];
  };
  requests: {
    answered: number;
    /** Requests in which the application raised an exception. */
    errors: number;
    /** Requests in flight in workers that ended. */
    cut: number;
  };
}

/** A restart that is under way. */
export interface Restart {
  readonly kind: RestartKind;
  readonly by: string;
  readonly from: number;
  readonly to: number | null;
  readonly started: string;
  readonly startedAtMs: number;
  workers: number;
  before: HostMemory | null;
  lowest: HostMemory | null;
  peakPss: number | null;
  cut: number;
  /** By pid: the first reading (zero for a process that started later) and the latest one. */
  processes: Map<number, { first: ProcessReading; last: ProcessReading }>;
}

export function beginRestart(
  what: Pick<Restart, 'kind' | 'by' | 'from' | 'to' | 'started' | 'startedAtMs' | 'workers'>,
  host: HostMemory | null,
  processes: readonly ProcessReading[],
): Restart {
  return {
    ...what,
    before: host,
    lowest: host,
    peakPss: null,
    cut: 0,
    processes: new Map(processes.map((reading) => [reading.pid, { first: reading, last: reading }])),
  };
}

export function noteHost(restart: Restart, host: HostMemory | null): void {
  if (host === null) return;
  restart.before ??= host;
  const { lowest } = restart;
  restart.lowest =
    lowest === null
      ? host
      : {
          total: host.total,
          free: Math.min(lowest.free, host.free),
          available: Math.min(lowest.available, host.available),
          cached: Math.min(lowest.cached, host.cached),
        };
}

export function notePss(restart: Restart, pss: number): void {
  if (pss > 0) restart.peakPss = Math.max(restart.peakPss ?? 0, pss);
}

export function noteProcess(restart: Restart, reading: ProcessReading): void {
  const known = restart.processes.get(reading.pid);
  if (known !== undefined) {
    // A worker that has become a mold keeps its counts.
    known.last = {
      ...reading,
      requestsFinished: Math.max(reading.requestsFinished, known.last.requestsFinished),
      responseErrors: Math.max(reading.responseErrors, known.last.responseErrors),
    };
    return;
  }
  const nothing = { minorFaults: 0, majorFaults: 0, requestsFinished: 0, responseErrors: 0 };
  restart.processes.set(reading.pid, { first: { ...reading, ...nothing }, last: reading });
}

/** Notes the last reading of a process, which has ended with `inFlight` requests in flight. */
export function noteExit(restart: Restart, reading: ProcessReading, inFlight: number): void {
  noteProcess(restart, reading);
  restart.cut += Math.max(0, inFlight);
}

/** The record of a restart that has ended and whose last process has left. Times are on the clock of `startedAtMs`. */
export function recordOf(
  restart: Restart,
  ending: { endedAtMs: number; settledAtMs: number; failure: string | null },
): RestartRecord {
  const { before, lowest } = restart;
  const grown = [...restart.processes.values()].map(({ first, last }) => ({
    pid: last.pid,
    role: last.role,
    generation: last.generation,
    minor: Math.max(0, last.minorFaults - first.minorFaults),
    major: Math.max(0, last.majorFaults - first.majorFaults),
    answered: Math.max(0, last.requestsFinished - first.requestsFinished),
    errors: Math.max(0, last.responseErrors - first.responseErrors),
  }));
  const sum = (key: 'minor' | 'major' | 'answered' | 'errors'): number =>
    grown.reduce((total, process) => total + process[key], 0);
  const named = grown.toSorted((a, b) => b.minor + b.major - (a.minor + a.major)).slice(0, MOST_PROCESSES);
  return {
    version: RECORD_VERSION,
    kind: restart.kind,
    by: restart.by,
    from: restart.from,
    to: restart.to,
    started: restart.started,
    duration_seconds: seconds(ending.endedAtMs - restart.startedAtMs),
    settled_seconds: seconds(ending.settledAtMs - restart.startedAtMs),
    failure: ending.failure,
    workers: restart.workers,
    host:
      before === null || lowest === null
        ? null
        : {
            memory_total: before.total,
            memory_free_before: before.free,
            memory_free_lowest: lowest.free,
            memory_available_before: before.available,
            memory_available_lowest: lowest.available,
            page_cache_before: before.cached,
            page_cache_lost: before.cached - lowest.cached,
          },
    herd_pss_peak: restart.peakPss,
    faults: {
      minor: sum('minor'),
      major: sum('major'),
      processes: named.map(({ pid, role, generation, minor, major }) => ({ pid, role, generation, minor, major })),
    },
    requests: { answered: sum('answered'), errors: sum('errors'), cut: restart.cut },
  };
}

/** Rounded to a millisecond. */
function seconds(ms: number): number {
  return Math.max(0, Math.round(ms)) / 1000;
}
