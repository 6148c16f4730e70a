/**
 * When a herd should be reforked, and how much a refork has won; pure, over plain data.
 *
 * By requests: when the warmest worker of a generation has answered a number of requests, from a list whose last value
 * repeats (Pitchfork's `refork_after`). By benefit: when the private memory that workers have in common is large
 * enough. The common part can't be seen from outside; it is learnt: each refork's win is measured when the new workers
 * are as warm as the old ones were, and the next estimate is discounted by it. A rule that only compares memory with a
 * threshold reforks forever in an application that leaks (Pitchfork had one and dropped it). This rule stops after a
 * refork that has won little, until new code is loaded.
 */
import { WORKER_OWN_BYTES } from '../../base/own-memory.ts';
import { type Bytes, bytes, formatMiB } from '../../base/units.ts';
import { pauseMs } from './backoff.ts';
import { enough, FIRST_YIELD_PART, learntYieldPart, remembered, since, worth } from './learnt-benefit.ts';
import { mostWarmed, type Warmth } from './warmth.ts';

export interface ReforkLimits {
  /**
   * Requests of one worker, by the number of reforks so far. The last value repeats; an empty list switches the rule
   * off.
   */
  after: readonly number[];
  byBenefit: boolean;
}

/** A ready worker of the current generation. */
export interface ReforkCandidate extends Warmth {
  pid: number;
  /** `null` until the worker has been sampled. */
  private: Bytes | null;
}

/** The readings of a tick. */
export interface ReforkReading {
  nowMs: number;
  /** Proportional set size of the molds and all workers. */
  herdPss: Bytes;
  candidates: readonly ReforkCandidate[];
}

/** A refork whose win is not known yet. */
export interface ReforkMeasurement {
  generation: number;
  pssBefore: Bytes;
  /** Mean requests per worker, as a measure of how warm the workers were. */
  requestsBefore: number;
  estimated: Bytes;
}

export interface ReforkWin {
  generation: number;
  /** By how much the herd's proportional set size fell; negative when it grew. */
  won: number;
  wonPerWorker: number;
  estimated: Bytes;
}

export interface ReforkMemory {
  /** Number of reforks since the code was loaded. */
  reforks: number;
  measuring: ReforkMeasurement | null;
  wins: readonly ReforkWin[];
  /** The part of an upper bound that is really won; learnt from the latest refork. */
  yieldPart: number;
  /** Since when a refork has been worth it and the estimate has hardly grown, in supervisor milliseconds. */
  steadySinceMs: number | null;
  lastEstimate: number;
  notBeforeMs: number;
  /** Failed reforks in a row. */
  failures: number;
  /** Why there are no more reforks by benefit until new code is loaded. */
  stoppedBecause: string | null;
}

/** The estimate must be stable for this long: growing caches would be shared half full. */
const STEADY_MS = 10_000;
const STEADY_GROWTH = 0.02;

/** The pause after a refork. After a failed one it is twice as long, doubled with each failure in a row. */
const PAUSE_MS = 60_000;
const FAILURE_PAUSES = { firstMs: 2 * PAUSE_MS, longestMs: 64 * PAUSE_MS };
/**
 * After this many failures in a row there are no more reforks by benefit; those by requests are still tried now and
 * then.
 */
const MOST_FAILURES = 3;

export function newReforkMemory(): ReforkMemory {
  return {
    reforks: 0,
    measuring: null,
    wins: [],
    yieldPart: FIRST_YIELD_PART,
    steadySinceMs: null,
    lastEstimate: 0,
    notBeforeMs: 0,
    failures: 0,
    stoppedBecause: null,
  };
}

/** The upper bound of a refork's win: the warmest worker's memory, or as much of it as each other worker has. */
export function largestWin(candidates: readonly ReforkCandidate[]): Bytes {
  const warmest = mostWarmed(candidates);
  const others = candidates.filter((candidate) => candidate !== warmest);
  const own = (candidate: ReforkCandidate | null): number => Math.max(0, (candidate?.private ?? 0) - WORKER_OWN_BYTES);
  return bytes(others.reduce((total, other) => total + Math.min(own(other), own(warmest)), 0));
}

/** Takes one look; returns the new memory, and the reason for a refork if one is due. */
export function consider(
  memory: ReforkMemory,
  limits: ReforkLimits,
  look: ReforkReading,
): { memory: ReforkMemory; because: string | null } {
  const limit = limits.after[Math.min(memory.reforks, limits.after.length - 1)];
  const most = Math.max(0, ...look.candidates.map((candidate) => candidate.requests));
  if (look.nowMs < memory.notBeforeMs) return { memory: { ...memory, steadySinceMs: null }, because: null };
  if (limit !== undefined && most >= limit) {
    return { memory, because: `a worker has answered ${most} requests (refork_after ${limit})` };
  }
  if (!limits.byBenefit || memory.stoppedBecause !== null || memory.measuring !== null) {
    return { memory: { ...memory, steadySinceMs: null }, because: null };
  }
  const isComplete = look.candidates.length > 1 && look.candidates.every((candidate) => candidate.private !== null);
  if (!isComplete) return { memory: { ...memory, steadySinceMs: null }, because: null };
  const estimate = largestWin(look.candidates) * memory.yieldPart;
  const isWorth = estimate >= worth(look.herdPss);
  const isSteady = estimate <= memory.lastEstimate * (1 + STEADY_GROWTH);
  const steadySinceMs = since(isSteady ? memory.steadySinceMs : null, isWorth, look.nowMs);
  const lastEstimate = isSteady ? memory.lastEstimate : estimate;
  const because =
    steadySinceMs === null || look.nowMs - steadySinceMs < STEADY_MS
      ? null
      : `it is estimated to win ${formatMiB(bytes(Math.round(estimate)))} of ${formatMiB(look.herdPss)}`;
  return { memory: { ...memory, steadySinceMs, lastEstimate }, because };
}

/** A refork is done: its win is measured from now on. */
export function begun(memory: ReforkMemory, generation: number, before: ReforkReading): ReforkMemory {
  return {
    ...memory,
    reforks: memory.reforks + 1,
    failures: 0,
    steadySinceMs: null,
    lastEstimate: 0,
    measuring: {
      generation,
      pssBefore: before.herdPss,
      requestsBefore: meanRequests(before),
      estimated: bytes(Math.round(largestWin(before.candidates) * memory.yieldPart)),
    },
  };
}

/** A refork has failed: the next one waits, longer each time, because the cause most likely persists. */
export function failed(memory: ReforkMemory, reason: string, nowMs: number): ReforkMemory {
  const failures = memory.failures + 1;
  return {
    ...memory,
    failures,
    steadySinceMs: null,
    notBeforeMs: nowMs + pauseMs(failures, FAILURE_PAUSES),
    stoppedBecause: failures < MOST_FAILURES ? memory.stoppedBecause : `${failures} reforks in a row failed: ${reason}`,
  };
}

/** Measures the win of the latest refork, once its workers are as warm as their predecessors were. */
export function measure(memory: ReforkMemory, look: ReforkReading): { memory: ReforkMemory; win: ReforkWin | null } {
  const { measuring } = memory;
  if (measuring === null) return { memory, win: null };
  const isSampled = look.candidates.length > 0 && look.candidates.every((candidate) => candidate.private !== null);
  // Young workers are always small: compared too early, every refork would look like a success.
  if (!isSampled || meanRequests(look) < measuring.requestsBefore) return { memory, win: null };
  const won = measuring.pssBefore - look.herdPss;
  const win: ReforkWin = {
    generation: measuring.generation,
    won,
    wonPerWorker: Math.round(won / Math.max(1, look.candidates.length)),
    estimated: measuring.estimated,
  };
  const needed = enough(measuring.pssBefore);
  return {
    win,
    memory: {
      ...memory,
      measuring: null,
      wins: remembered(memory.wins, win),
      yieldPart: learntYieldPart(memory.yieldPart, measuring.estimated, won),
      notBeforeMs: look.nowMs + PAUSE_MS,
      stoppedBecause:
        won < needed
          ? `the refork to generation ${win.generation} won ${formatMiB(bytes(Math.round(Math.max(0, won))))}, less than the ${formatMiB(needed)} that make one worth its trouble`
          : null,
    },
  };
}

function meanRequests({ candidates }: ReforkReading): number {
  if (candidates.length === 0) return 0;
  return candidates.reduce((total, { requests }) => total + requests, 0) / candidates.length;
}
