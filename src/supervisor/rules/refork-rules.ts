/**
 * When a herd should be reforked, and what a refork has won; pure, over plain data.
 *
 * By requests: when the most warmed worker of a generation has answered so many, from a list whose last value repeats
 * (Pitchfork's `refork_after`). By benefit: when what workers hold privately and have alike is worth it. How much they
 * have alike can't be seen from outside; it is learnt: each refork's win is measured when the new workers are as warm
 * as the old ones were, and the next estimate is worth only as much as the last one was. A rule that just looks at
 * memory reforks for ever in an application that leaks (Pitchfork had one and dropped it); this one stops when a refork
 * has won little, until new code is loaded.
 */
import { WORKER_OWN_BYTES } from '../../base/own-memory.ts';
import { type Bytes, bytes, formatMiB } from '../../base/units.ts';
import { pauseMs } from './backoff.ts';
import { enough, FIRST_YIELD_PART, learntYieldPart, remembered, since, worth } from './learnt-benefit.ts';
import { mostWarmed, type Warmth } from './warmth.ts';

export interface ReforkLimits {
  /** Requests of one worker, by the number of reforks so far; the last repeats, none at all switches the rule off. */
  after: readonly number[];
  byBenefit: boolean;
}

/** A ready worker of the current generation. */
export interface ReforkCandidate extends Warmth {
  pid: number;
  /** `null` until it has been looked at. */
  private: Bytes | null;
}

/** What is known at a tick. */
export interface ReforkReading {
  nowMs: number;
  /** Of the molds and all workers. */
  herdPss: Bytes;
  candidates: readonly ReforkCandidate[];
}

/** A refork whose win is not known yet. */
export interface ReforkMeasurement {
  generation: number;
  pssBefore: Bytes;
  /** Requests per worker, as a measure of how warm they were. */
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
  /** Since the code was loaded. */
  reforks: number;
  measuring: ReforkMeasurement | null;
  wins: readonly ReforkWin[];
  /** Which part of an estimate comes true; learnt from the latest refork. */
  yieldPart: number;
  /** Since when the benefit has been worth it and has hardly grown, in supervisor milliseconds. */
  steadySinceMs: number | null;
  lastEstimate: number;
  notBeforeMs: number;
  /** Reforks in a row that have failed. */
  failures: number;
  /** Why there are no more reforks by benefit until new code is loaded. */
  stoppedBecause: string | null;
}

/** Caches that still grow would be shared half full: the estimate must stand for this long. */
const STEADY_MS = 10_000;
const STEADY_GROWTH = 0.02;

/** After a refork; and after the first that failed in a row twice as long, doubled with each. */
const PAUSE_MS = 60_000;
const FAILURE_PAUSES = { firstMs: 2 * PAUSE_MS, longestMs: 64 * PAUSE_MS };
/** After so many failures in a row there is no refork by benefit any more; by requests there is one now and then. */
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

/** What sharing the most warmed worker's memory could win at most: as much of every other worker's. */
export function largestWin(candidates: readonly ReforkCandidate[]): Bytes {
  const warmest = mostWarmed(candidates);
  const others = candidates.filter((candidate) => candidate !== warmest);
  const own = (candidate: ReforkCandidate | null): number => Math.max(0, (candidate?.private ?? 0) - WORKER_OWN_BYTES);
  return bytes(others.reduce((total, other) => total + Math.min(own(other), own(warmest)), 0));
}

/** Looks once; returns what is remembered from now on, and the reason for a refork if there is one. */
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
      : `estimated saving: ${formatMiB(bytes(Math.round(estimate)))} of ${formatMiB(look.herdPss)}`;
  return { memory: { ...memory, steadySinceMs, lastEstimate }, because };
}

/** A refork has been done: its win is measured from now on. */
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

/** A refork has failed: the next one waits, longer each time, since the cause is most likely still there. */
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

/** Measures what the latest refork has won, once its workers are as warm as those before were. */
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
          ? `the refork to generation ${win.generation} saved ${formatMiB(bytes(Math.round(Math.max(0, won))))}, less than the ${formatMiB(needed)} that make a refork worthwhile`
          : null,
    },
  };
}

function meanRequests({ candidates }: ReforkReading): number {
  if (candidates.length === 0) return 0;
  return candidates.reduce((total, { requests }) => total + requests, 0) / candidates.length;
}
