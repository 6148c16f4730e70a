/** What recycling remembers from one tick to the next: plain data, a part of the herd's state. */

/** The limits on one worker's memory. */
export const MEMORY_RULES = ['private', 'pss', 'rss'] as const;
export type MemoryRule = (typeof MEMORY_RULES)[number];

/** Why a worker can be recycled; the keys of {@link RecyclingState.counts} and of `status`. */
export type RecycleRule = MemoryRule | 'requests' | 'age' | 'herd_memory';

/** One worker's record against one memory limit. */
export interface MemoryWatch {
  /** The limit that the other fields refer to. */
  readonly limit: number | string;
  /** Bytes, in the newest sample. */
  readonly latest: number;
  /** Samples in a row over the limit. */
  readonly over: number;
  /** The first of these samples came soon after the worker was ready. */
  readonly fresh: boolean;
  /** The worker has been below the limit. */
  readonly wasUnder: boolean;
}

/** One worker, from its first look on. */
export interface RecycleWatch {
  /** When the newest counted sample was taken. */
  readonly sampledAtMs: number;
  readonly memory: Readonly<Record<MemoryRule, MemoryWatch>>;
  /** Requests answered by the latest look, and the time of that look. */
  readonly requests: { readonly finished: number; readonly atMs: number };
  /** Since when there is a reason to recycle the worker. */
  readonly dueSinceMs: number | null;
}

/** A rule that would recycle forever, switched off for this generation and this limit. */
export interface StoppedRule {
  readonly rule: RecycleRule;
  readonly because: string;
  readonly generation: number;
  readonly limit: number | string;
}

export interface RecyclingState {
  /** How many workers each rule has recycled. */
  readonly counts: Readonly<Record<RecycleRule, number>>;
  readonly stopped: readonly StoppedRule[];
  readonly watches: Readonly<Record<number, RecycleWatch>>;
  /** Workers that recycling has marked and that still exist. */
  readonly marked: Readonly<Record<number, RecycleRule>>;
  /** Workers in a row that a rule recycled although they were fresh. */
  readonly freshInARow: Readonly<Record<MemoryRule, number>>;
  readonly herd: {
    /** The herd's memory at the latest look, and its limit; null without a limit. */
    readonly budget: { used: number; limit: number } | null;
    /** Since when the herd has been over its budget. */
    readonly overSinceMs: number | null;
    /** The worker last recycled for the budget, until it has gone. */
    readonly lastPid: number | null;
    /** When that worker was gone. */
    readonly goneAtMs: number | null;
    /** Workers recycled in a row while the herd never fell below its budget. */
    readonly inARow: number;
  };
}

export function startRecycling(): RecyclingState {
  return {
    counts: { private: 0, pss: 0, rss: 0, requests: 0, age: 0, herd_memory: 0 },
    stopped: [],
    watches: {},
    marked: {},
    freshInARow: { private: 0, pss: 0, rss: 0 },
    herd: { budget: null, overSinceMs: null, lastPid: null, goneAtMs: null, inARow: 0 },
  };
}

export function newMemoryWatch(): MemoryWatch {
  return { limit: 0, latest: 0, over: 0, fresh: false, wasUnder: false };
}

export function newWatch(nowMs: number): RecycleWatch {
  return {
    sampledAtMs: 0,
    memory: { private: newMemoryWatch(), pss: newMemoryWatch(), rss: newMemoryWatch() },
    requests: { finished: 0, atMs: nowMs },
    dueSinceMs: null,
  };
}
