/**
 * The sums of a recording: stacks with their counts, causes, processes and time. They are built as samples arrive, so
 * that the memory needed does not depend on the recording's length.
 */
import type { ProfileFrame } from '../perf/profile-frame.ts';
import { type FaultCause, FAULT_CAUSE_NAMES } from './causes.ts';

export interface ProfileStack {
  /** Indexes of frames, from the outermost inwards. */
  readonly frames: readonly number[];
  readonly cause: FaultCause;
  count: number;
}

export interface ProfileProcess {
  readonly pid: number;
  /** Its latest name. */
  command: string;
  count: number;
}

export interface Fault {
  readonly pid: number;
  readonly command: string;
  /** Time since the recording began. */
  readonly seconds: number;
  readonly cause: FaultCause;
  /** Innermost first. */
  readonly frames: readonly ProfileFrame[];
  /** Whether these are all of its callers. */
  readonly whole: boolean;
}

/** Numbers of faults in a stretch of time, by cause. */
export type Bucket = Record<FaultCause, number>;

export interface Limits {
  readonly stacks: number;
  readonly frames: number;
  readonly processes: number;
  readonly buckets: number;
}

/** Together at most some 50 MiB. */
const LIMITS: Limits = { stacks: 100_000, frames: 50_000, processes: 10_000, buckets: 120 };
const FIRST_BUCKET_SECONDS = 0.1;
const ELSEWHERE: ProfileFrame = { name: '[more]', file: '', language: 'native' };

export class Profile {
  readonly #limits: Limits;
  readonly frames: ProfileFrame[] = [];
  readonly #frameNumbers = new Map<string, number>();
  readonly #stacks = new Map<string, ProfileStack>();
  readonly #processes = new Map<number, ProfileProcess>();
  bucketSeconds = FIRST_BUCKET_SECONDS;
  readonly #buckets: Bucket[] = [];
  readonly causes: Bucket = emptyBucket();
  faults = 0;
  /** Faults with all callers known. */
  wholeStacks = 0;
  /** Faults whose stack was cut to its innermost frame because there were too many different stacks. */
  mergedStacks = 0;

  constructor(limits: Partial<Limits> = {}) {
    this.#limits = { ...LIMITS, ...limits };
  }

  get stacks(): ProfileStack[] {
    return [...this.#stacks.values()].toSorted((a, b) => b.count - a.count);
  }

  get processes(): ProfileProcess[] {
    return [...this.#processes.values()].toSorted((a, b) => b.count - a.count);
  }

  /** Buckets from the start of the recording to its end, or to its last fault if that is later. */
  bucketsUntil(seconds: number): readonly Bucket[] {
    while (Number.isFinite(seconds) && seconds / this.bucketSeconds > this.#limits.buckets) this.#halveBuckets();
    const count = Math.min(this.#limits.buckets, Math.round(seconds / this.bucketSeconds));
    return [...this.#buckets, ...emptyBuckets(Math.max(0, count - this.#buckets.length))];
  }

  add(fault: Fault): void {
    this.faults += 1;
    this.causes[fault.cause] += 1;
    if (fault.whole) this.wholeStacks += 1;
    this.#addStack(fault);
    this.#addProcess(fault);
    this.#addTime(fault);
  }

  #addStack({ frames, cause }: Fault): void {
    const numbers = frames.map((frame) => this.#frameNumber(frame)).reverse();
    const known = this.#stacks.get(stackKey(numbers, cause));
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    if (this.#stacks.size < this.#limits.stacks) {
      this.#stacks.set(stackKey(numbers, cause), { frames: numbers, cause, count: 1 });
      return;
    }
    this.mergedStacks += 1;
    // The number of these is limited to frames times causes.
    const innermost = numbers.slice(-1);
    const key = stackKey(innermost, cause);
    const merged = this.#stacks.get(key);
    if (merged === undefined) this.#stacks.set(key, { frames: innermost, cause, count: 1 });
    else merged.count += 1;
  }

  #frameNumber(frame: ProfileFrame): number {
    const key = `${frame.language}\0${frame.name}\0${frame.file}`;
    const known = this.#frameNumbers.get(key);
    if (known !== undefined) return known;
    if (this.frames.length >= this.#limits.frames && frame !== ELSEWHERE) return this.#frameNumber(ELSEWHERE);
    const number = this.frames.push(frame) - 1;
    this.#frameNumbers.set(key, number);
    return number;
  }

  #addProcess({ pid, command }: Fault): void {
    const known = this.#processes.get(pid);
    if (known !== undefined) {
      known.count += 1;
      known.command = command;
    } else if (this.#processes.size < this.#limits.processes) {
      this.#processes.set(pid, { pid, command, count: 1 });
    }
  }

  #addTime({ seconds, cause }: Fault): void {
    while (seconds / this.bucketSeconds >= this.#limits.buckets) this.#halveBuckets();
    const index = Math.max(0, Math.floor(seconds / this.bucketSeconds));
    while (this.#buckets.length <= index) this.#buckets.push(emptyBucket());
    const bucket = this.#buckets[index];
    if (bucket !== undefined) bucket[cause] += 1;
  }

  /** Halves the number of buckets by making each twice as long. */
  #halveBuckets(): void {
    const merged = emptyBuckets(Math.ceil(this.#buckets.length / 2));
    for (const [index, bucket] of this.#buckets.entries()) {
      const into = merged[index >> 1];
      if (into !== undefined) for (const cause of FAULT_CAUSE_NAMES) into[cause] += bucket[cause];
    }
    this.#buckets.splice(0, this.#buckets.length, ...merged);
    this.bucketSeconds *= 2;
  }
}

function stackKey(numbers: readonly number[], cause: FaultCause): string {
  return `${cause} ${numbers.join(' ')}`;
}

function emptyBuckets(count: number): Bucket[] {
  return Array.from({ length: count }, emptyBucket);
}

export function emptyBucket(): Bucket {
  return { collector: 0, refcount: 0, allocator: 0, interpreter: 0, other: 0 };
}
