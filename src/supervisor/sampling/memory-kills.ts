/** Whether the kernel has killed a process for lack of memory, according to its counts of such kills. */
import { ownMemoryCgroup, readOomKills } from '../../procfs/cgroup.ts';

/**
 * The counts cover all processes of the cgroup, or of the host. A kill is therefore attributed to a worker only if the
 * count rose around its death: since the tick before the last one.
 */
export class MemoryKills {
  readonly #read: () => number | null;
  #beforeLast: number | null;
  #last: number | null;

  constructor(read?: () => number | null) {
    const cgroup = ownMemoryCgroup();
    this.#read = read ?? (() => readOomKills(cgroup));
    this.#last = this.#read();
    this.#beforeLast = this.#last;
  }

  /** Call this about once a second. */
  tick(): void {
    this.#beforeLast = this.#last;
    this.#last = this.#read();
  }

  /** Whether a process that SIGKILL has just ended was killed for lack of memory; null if unknown. */
  claim(): boolean | null {
    const now = this.#read();
    if (now === null || this.#beforeLast === null) return null;
    if (now <= this.#beforeLast) return false;
    // A count is used up by one process: another death needs another count.
    this.#beforeLast += 1;
    this.#last = Math.max(this.#last ?? 0, this.#beforeLast);
    return true;
  }
}
