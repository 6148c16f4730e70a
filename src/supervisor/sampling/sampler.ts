/**
 * Samples the processes of the herd: performs the readings planned by the policy (sampling-budget.ts), measures their cost,
 * and keeps the latest figures of each process as plain data.
 *
 * Readings are synchronous, so that this process's CPU time around them is their cost, including the kernel's part. One
 * timer, which does not keep the process alive, serves all of them.
 */
import { type Clock, monotonicClock } from '../../base/clock.ts';
import { isSystemError } from '../../base/errors.ts';
import { type Bytes, bytes, type Milliseconds, milliseconds, pagesToBytes, percentOfCore } from '../../base/units.ts';
import { kernelUnits } from '../../procfs/auxv.ts';
import { readMeminfo } from '../../procfs/meminfo.ts';
import { anonymousAtFork, memoryOf, type WorkerMemory } from '../../procfs/memory.ts';
import { readSmapsRollup, type SmapsRollup } from '../../procfs/smaps-rollup.ts';
import { readStat } from '../../procfs/stat.ts';
import { readStatm } from '../../procfs/statm.ts';
import * as sampling from './sampling-budget.ts';
import type { HostReport } from '../herd/host-memory.ts';

export type Role = 'mold' | 'worker';

/** The latest figures of a process. */
export interface Sample {
  readonly memory: WorkerMemory;
  /** When {@link memory} was read, on CLOCK_MONOTONIC. Faults may be newer. */
  readonly sampledAtMs: Milliseconds;
  readonly minorFaults: number;
  readonly majorFaults: number;
}

export interface SamplingCost {
  readonly budgetPercent: number;
  /** Percent of one core, over the last minute, or since the first watch if that is shorter. */
  readonly spentPercent: number;
}

interface Process {
  readonly role: Role;
  readonly generation: number;
  /** The anonymous memory of its mold at the fork; 0 for a mold. */
  readonly moldAnonymous: Bytes;
  memory: WorkerMemory | null;
  anonymous: Bytes;
  sampledAt: Milliseconds;
  minorFaults: number;
  majorFaults: number;
}

/** A mold whose size has changed by at most this part still has the memory of its last reading. */
const MOLD_SIZE_TOLERANCE = 0.005;
const COST_WINDOW_MS = 60_000;
/** The cost of a timer outside of its callback: 0.2 to 0.35 ms, measured with an empty one. */
const WAKE_COST_MS = 0.3;
const DEFAULT_BUDGET_PERCENT = 1;

export class Sampler {
  readonly #clock: Clock;
  readonly #processes = new Map<number, Process>();
  #state: sampling.SamplingState;
  #budgetPercent: number;
  #timer: NodeJS.Timeout | null = null;
  #timerAt = Infinity;
  /** Running totals of CPU time, each with the moment at which it was reached; the oldest one begins the window. */
  #spent: { at: Milliseconds; total: number }[] = [];

  constructor(budgetPercent = DEFAULT_BUDGET_PERCENT, clock: Clock = monotonicClock) {
    this.#clock = clock;
    this.#budgetPercent = budgetPercent;
    this.#state = sampling.startSampling(percentOfCore(budgetPercent), clock.now());
  }

  /** Sets the budget for all sampling, in percent of one core; 0 stops sampling. */
  setBudget(percent: number): void {
    this.#budgetPercent = percent;
    this.#state = sampling.setBudget(this.#state, percentOfCore(percent), this.#clock.now());
    this.#schedule(this.#clock.now());
  }

  /** Samples this process from now on. Watch a worker's mold first, for its memory at the fork. */
  watch(pid: number, role: Role, generation: number): void {
    this.#processes.set(pid, {
      role,
      generation,
      moldAnonymous: role === 'worker' ? this.#moldAnonymous(generation) : bytes(0),
      memory: null,
      anonymous: bytes(0),
      sampledAt: milliseconds(0),
      minorFaults: 0,
      majorFaults: 0,
    });
    const now = this.#clock.now();
    this.#state = sampling.watch(this.#state, pid, now);
    this.#schedule(now);
  }

  forget(pid: number): void {
    this.#processes.delete(pid);
    this.#state = sampling.forget(this.#state, pid);
  }

  /** The latest figures; null until the first reading of the process. */
  sampleOf(pid: number): Sample | null {
    const process = this.#processes.get(pid);
    if (process === undefined || process.memory === null) return null;
    const { memory, sampledAt, minorFaults, majorFaults } = process;
    return { memory, sampledAtMs: sampledAt, minorFaults, majorFaults };
  }

  /** The resident memory of any process, read now (some 20 µs); null if there is no such process. */
  rssOf(pid: number | null): Bytes | null {
    const statm = pid === null ? null : readStatm(pid);
    return statm === null ? null : pagesToBytes(statm.resident, kernelUnits().pageSize);
  }

  /** The memory of the host, read now (some 60 µs). */
  host(): HostReport {
    const memory = readMeminfo();
    return {
      memory_total: memory?.total ?? 0,
      memory_free: memory?.free ?? 0,
      memory_available: memory?.available ?? 0,
      page_cache: memory?.cached ?? 0,
    };
  }

  cost(): SamplingCost {
    const first = this.#spent[0];
    const last = this.#spent.at(-1);
    const elapsed = first === undefined ? 0 : this.#clock.now() - first.at;
    const spentPercent =
      first === undefined || last === undefined || elapsed <= 0 ? 0 : ((last.total - first.total) / elapsed) * 100;
    return { budgetPercent: this.#budgetPercent, spentPercent };
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#timerAt = Infinity;
    this.#processes.clear();
  }

  #wake(): void {
    this.#timer = null;
    this.#timerAt = Infinity;
    const now = this.#clock.now();
    this.#measure((done) => {
      const { state, readings, nextAt } = sampling.plan(this.#state, now);
      this.#state = state;
      for (const reading of readings) {
        const start = cpuTime();
        const faults = this.#perform(reading, now);
        done.push({ ...reading, faults, cost: milliseconds(cpuTime() - start) });
      }
      if (nextAt !== null) this.#schedule(nextAt);
    }, now);
  }

  /** Runs a part of the sampling, and charges the CPU time that this process used meanwhile. */
  #measure(work: (done: sampling.ReadingDone[]) => void, now: Milliseconds): void {
    const start = cpuTime();
    const done: sampling.ReadingDone[] = [];
    work(done);
    const cost = milliseconds(cpuTime() - start + WAKE_COST_MS);
    this.#state = sampling.charge(this.#state, done, cost, now);
    const total = (this.#spent.at(-1)?.total ?? 0) + cost;
    if (this.#spent.length === 0) this.#spent.push({ at: now, total: 0 });
    this.#spent.push({ at: now, total });
    // One total from before the window is kept, as its start.
    while ((this.#spent[1]?.at ?? Infinity) < now - COST_WINDOW_MS) this.#spent.shift();
  }

  /** Takes one reading; returns the process's faults since the previous one. */
  #perform({ pid, kind }: sampling.Reading, now: Milliseconds): number {
    const process = this.#processes.get(pid);
    if (process === undefined) return 0;
    if (kind === 'rollup') this.#readMemory(pid, process, now);
    const stat = readStat(pid);
    if (stat === null) return 0;
    const before = process.minorFaults + process.majorFaults;
    process.minorFaults = stat.minorFaults;
    process.majorFaults = stat.majorFaults;
    return before === 0 ? 0 : stat.minorFaults + stat.majorFaults - before;
  }

  #readMemory(pid: number, process: Process, now: Milliseconds): void {
    const rollup = readRollupIfAllowed(pid);
    if (rollup === null) return;
    process.memory = memoryOf(rollup, process.moldAnonymous);
    process.anonymous = anonymousAtFork(rollup);
    process.sampledAt = now;
  }

  /** The mold's anonymous memory, current or from a moment ago. */
  #moldAnonymous(generation: number): Bytes {
    const now = this.#clock.now();
    for (const [pid, process] of this.#processes) {
      if (process.role !== 'mold' || process.generation !== generation) continue;
      if (this.#budgetPercent > 0 && this.#hasChanged(pid, process)) {
        this.#measure((done) => {
          const start = cpuTime();
          const faults = this.#perform({ pid, kind: 'rollup' }, now);
          done.push({ pid, kind: 'rollup', faults, cost: milliseconds(cpuTime() - start) });
        }, now);
      }
      return process.anonymous;
    }
    return bytes(0);
  }

  /** Whether a reading of the mold is worth its cost: a mold that only forks does not change. */
  #hasChanged(pid: number, mold: Process): boolean {
    const rss = this.rssOf(pid);
    if (mold.memory === null || rss === null) return true;
    return Math.abs(rss - mold.memory.rss) > MOLD_SIZE_TOLERANCE * mold.memory.rss;
  }

  #schedule(at: Milliseconds): void {
    if (at >= this.#timerAt || this.#processes.size === 0) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#wake(), Math.max(0, at - this.#clock.now()));
    this.#timer.unref();
  }
}

/** CPU time of this process, all threads, user and system. */
function cpuTime(): Milliseconds {
  const { user, system } = process.cpuUsage();
  return milliseconds((user + system) / 1000);
}

/** Null also for a process that this one may not read: another user's, or one that is not dumpable. */
function readRollupIfAllowed(pid: number): SmapsRollup | null {
  try {
    return readSmapsRollup(pid);
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM')) return null;
    throw error;
  }
}
