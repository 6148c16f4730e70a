/** Whether the kernel has killed a process for lack of memory, from its counts of such kills. */
import { ownMemoryCgroup, readOomKills } from '../../procfs/cgroup.ts';

/**
 * The counts are of all processes of the cgroup, or of the host. So a kill is a worker's only if the count has grown
 * about when it died: since the tick before the last one.
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

  /** To be called about once a second. */
  tick(): void {
    this.#beforeLast = this.#last;
    this.#last = this.#read();
  }

  /** Whether a process that SIGKILL has just ended was killed for lack of memory; null if that can't be known. */
  claim(): boolean | null {
    const now = this.#read();
    if (now === null || this.#beforeLast === null) return null;
    if (now <= this.#beforeLast) return false;
    // Another one that dies now was killed by another count.
    this.#beforeLast += 1;
    this.#last = Math.max(this.#last ?? 0, this.#beforeLast);
    return true;
  }
}
