/** CPU time that processes have used, from the kernel's accounting. */
import { kernelUnits } from '../../src/procfs/auxv.ts';
import { readStat } from '../../src/procfs/stat.ts';

/** User and system time of all threads, in seconds; exact to a tick (10 ms). Throws if the process has ended. */
export function cpuSeconds(pid: number): number {
  const stat = readStat(pid);
  if (stat === null) throw new Error(`process ${pid} has ended`);
  return (stat.userTime + stat.systemTime) / kernelUnits().ticksPerSecond;
}

/** Sums up the CPU time of processes over several stretches. */
export class CpuMeter {
  readonly #pids: readonly number[];
  #cpu = 0;
  #wall = 0;

  constructor(pids: readonly number[]) {
    this.#pids = pids;
  }

  /** Counts the CPU time used while `work` runs. */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    const [cpu, wall] = [this.#total(), performance.now()];
    const result = await work();
    this.#cpu += this.#total() - cpu;
    this.#wall += (performance.now() - wall) / 1000;
    return result;
  }

  /** Percent of one core, over all stretches. */
  get corePercent(): number {
    return this.#wall === 0 ? Number.NaN : (100 * this.#cpu) / this.#wall;
  }

  /** The total length of all stretches. */
  get seconds(): number {
    return this.#wall;
  }

  get cpuSeconds(): number {
    return this.#cpu;
  }

  #total(): number {
    return this.#pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  }
}
