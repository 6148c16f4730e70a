/** CPU time that processes have used, from the kernel's books. */
import { kernelUnits } from '../../src/procfs/auxv.ts';
import { readStat } from '../../src/procfs/stat.ts';

/** User and system time of all threads, in seconds; exact to a tick (10 ms). Throws if the process has ended. */
export function cpuSeconds(pid: number): number {
  const stat = readStat(pid);
  if (stat === null) throw new Error(`process ${pid} has ended`);
  return (stat.userTime + stat.systemTime) / kernelUnits().ticksPerSecond;
}

/** Sums up the CPU time of processes over several stretches of time. */
export class CpuMeter {
  readonly #pids: readonly number[];
  #cpu = 0;
  #wall = 0;

  constructor(pids: readonly number[]) {
    this.#pids = pids;
  }

  /** Counts what is used while `work` goes on. */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    const [cpu, wall] = [this.#total(), performance.now()];
    const result = await work();
    this.#cpu += this.#total() - cpu;
    this.#wall += (performance.now() - wall) / 1000;
    return result;
  }

  /** Of one core, in percent, over all stretches. */
  get corePercent(): number {
    return this.#wall === 0 ? Number.NaN : (100 * this.#cpu) / this.#wall;
  }

  /** The length of all stretches. */
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
