/** What recycling remembers from one tick to the next: plain data, a part of the herd's state. */

/** The limits on one worker's memory. */
export const MEMORY_RULES = ['private', 'pss', 'rss'] as const;
export type MemoryRule = (typeof MEMORY_RULES)[number];

/** Why a worker can be recycled; the names of {@link RecyclingState.counts} and of `status`. */
export type RecycleRule = MemoryRule | 'requests' | 'age' | 'herd_memory';

/** How one worker stands to one limit on memory. */
export interface MemoryWatch {
  /** What the rest is about. */
  limit: number | string;
  /** Bytes, in the newest sample. */
  latest: number;
  /** Samples in a row over the limit. */
  over: number;
  /** The first of them came as soon as the worker was there. */
  fresh: boolean;
  /** It has been below the limit. */
  wasUnder: boolean;
}

/** One worker, from its first tick on. */
export interface RecycleWatch {
  /** Of the newest sample that was counted. */
  sampledAtMs: number;
  memory: Record<MemoryRule, MemoryWatch>;
  /** Requests that it had answered at the latest tick, and when that was. */
  requests: { finished: number; atMs: number };
  /** Since when there is a reason to recycle it. */
  dueSinceMs: number | null;
}

/** A rule that would go on for ever, and does nothing any more for this generation with this limit. */
export interface StoppedRule {
  rule: RecycleRule;
  because: string;
  generation: number;
  limit: number | string;
}

export interface RecyclingState {
  /** How many workers were recycled by each rule. */
  counts: Record<RecycleRule, number>;
  stopped: StoppedRule[];
  watches: Record<number, RecycleWatch>;
  /** Workers that recycling has marked and that are still there. */
  marked: Record<number, RecycleRule>;
  /** Workers in a row that a rule has recycled although they were fresh. */
  freshInARow: Record<MemoryRule, number>;
  herd: {
    /** What it took at the latest tick, and what it may take; null without a limit. */
    budget: { used: number; limit: number } | null;
    /** Since when it has been over its budget. */
    overSinceMs: number | null;
    /** The worker recycled last for the budget, until it has gone. */
    lastPid: number | null;
    /** When it had gone. */
    goneAtMs: number | null;
    /** Workers recycled without the herd having been below its budget in between. */
    inARow: number;
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
