/**
 * When a herd is healed by rule, and how much a heal has won; pure, over plain data.
 *
 * A heal makes the kernel merge pages that workers hold alone although they are identical to the mold's. The amount
 * shows only when pages are compared, which costs seconds of CPU time. An upper bound is at hand: the unshared memory
 * of each worker, from the sampler. The identical part of it is learnt: each heal's win is measured, and the next
 * estimate is discounted by it. Memory that a heal has left unshared no longer counts, so that only new damage leads to
 * another heal. A heal that has won little is the last until new code is loaded: the unshared pages then differ, or are
 * rewritten as fast as they are merged.
 */
import { type Bytes, bytes, formatMiB, mebibytes, type Milliseconds, milliseconds } from '../../base/units.ts';
import { enough, FIRST_YIELD_PART, learntYieldPart, remembered, worth } from './learnt-benefit.ts';
import { begin, follow, type HealProgress, type MergingSample } from './heal-settled.ts';

/** A ready worker; `unshared` is null until the worker has been sampled. */
export interface HealCandidate {
  pid: number;
  unshared: Bytes | null;
  sampledAtMs: number;
}

/** The readings of a tick. */
export interface HealReading {
  nowMs: number;
  /** Proportional set size of the molds and all workers. */
  herdPss: Bytes;
  candidates: readonly HealCandidate[];
}

/** A heal that is under way, or whose win is not measured yet. */
export interface Heal {
  startedAtMs: number;
  /** The workers over the limit, with the unshared memory of each. */
  unsharedBefore: Record<number, Bytes>;
  estimated: Bytes;
  progress: HealProgress | null;
  /** CPU time that ksmd had used by then; null where it can't be seen. */
  ksmdBeforeMs: Milliseconds | null;
  ended: { atMs: number; ksmdMs: Milliseconds | null } | null;
}

export interface HealWin {
  /** By how many bytes the workers' unshared memory fell; negative when it grew. */
  won: number;
  estimated: Bytes;
  tookMs: Milliseconds;
  ksmdMs: Milliseconds | null;
}

export interface HealMemory {
  /** Number of heals since the herd started. */
  heals: number;
  heal: Heal | null;
  wins: readonly HealWin[];
  /** The part of an upper bound that is really won; learnt from the latest heal. */
  yieldPart: number;
  /** Memory still unshared after the latest heal, by pid. */
  leftOver: Record<number, Bytes>;
  /** Since when a heal has been worth it, in supervisor milliseconds. */
  worthSinceMs: number | null;
  notBeforeMs: number;
  /** Why there are no more heals until new code is loaded. */
  stoppedBecause: string | null;
}

/** A worker with less newly unshared memory is left alone. */
export const WORKER_LIMIT = mebibytes(16);
/**
 * How long a heal must be worth it first: a collection in all workers is over by then, and its copies no longer change.
 */
const WORTH_FOR_MS = 4000;
/** The longest heal; only a host with much other memory to merge would need more time. */
const LONGEST_MS = 120_000;
const SHORTEST_PAUSE_MS = 60_000;
/**
 * The pause after a heal, as a multiple of ksmd's CPU time (or of the heal's length, where that can't be seen): 2% of a
 * core.
 */
const PAUSE_IN_HEALS = 50;

export function newHealMemory(): HealMemory {
  return {
    heals: 0,
    heal: null,
    wins: [],
    yieldPart: FIRST_YIELD_PART,
    leftOver: {},
    worthSinceMs: null,
    notBeforeMs: 0,
    stoppedBecause: null,
  };
}

/** Forgets what was learnt: new code wastes other memory. */
export function newCode(memory: HealMemory): HealMemory {
  return { ...newHealMemory(), heals: memory.heals, heal: memory.heal, wins: memory.wins };
}

/** Memory unshared since the latest heal, of the workers in which it is over the limit. */
function newlyUnshared(memory: HealMemory, { candidates }: HealReading): Map<number, Bytes> {
  const found = new Map<number, Bytes>();
  for (const { pid, unshared } of candidates) {
    const fresh = (unshared ?? 0) - (memory.leftOver[pid] ?? 0);
    if (fresh >= WORKER_LIMIT) found.set(pid, bytes(fresh));
  }
  return found;
}

/** Takes one look; returns the new memory, and the reason for a heal if one is due. */
export function consider(memory: HealMemory, look: HealReading): { memory: HealMemory; because: string | null } {
  const waits = memory.heal !== null || memory.stoppedBecause !== null || look.nowMs < memory.notBeforeMs;
  const waste = newlyUnshared(memory, look);
  const estimate = bytes(Math.round(sum(waste.values()) * memory.yieldPart));
  if (waits || waste.size === 0 || estimate < worth(look.herdPss)) {
    return { memory: { ...memory, worthSinceMs: null }, because: null };
  }
  // Null at first, and missing from herd files of older versions.
  const worthSinceMs = memory.worthSinceMs ?? look.nowMs;
  const because =
    look.nowMs - worthSinceMs < WORTH_FOR_MS
      ? null
      : `${waste.size} worker(s) have ${formatMiB(bytes(sum(waste.values())))} unshared; it is estimated to win` +
        ` ${formatMiB(estimate)} of ${formatMiB(look.herdPss)}`;
  return { memory: { ...memory, worthSinceMs }, because };
}

/** Begins a heal. `ksmdMs`: the CPU time that ksmd has used so far. */
export function begun(memory: HealMemory, look: HealReading, ksmdMs: Milliseconds | null): HealMemory {
  const waste = newlyUnshared(memory, look);
  const before = new Map(look.candidates.map(({ pid, unshared }) => [pid, unshared ?? bytes(0)]));
  return {
    ...memory,
    heals: memory.heals + 1,
    worthSinceMs: null,
    heal: {
      startedAtMs: look.nowMs,
      unsharedBefore: Object.fromEntries([...waste.keys()].map((pid) => [pid, before.get(pid) ?? bytes(0)])),
      estimated: bytes(Math.round(sum(waste.values()) * memory.yieldPart)),
      progress: null,
      ksmdBeforeMs: ksmdMs,
      ended: null,
    },
  };
}

/** Takes a sample of the heal under way: records its progress, and tells whether it is over. */
export function proceed(
  memory: HealMemory,
  sample: MergingSample,
  nowMs: number,
): { memory: HealMemory; isOver: boolean } {
  const { heal } = memory;
  if (heal === null || heal.ended !== null) return { memory, isOver: false };
  const progress = heal.progress === null ? begin(sample) : follow(heal.progress, sample);
  const isOver = progress.settled || nowMs - heal.startedAtMs >= LONGEST_MS;
  return { memory: { ...memory, heal: { ...heal, progress } }, isOver };
}

/** Ends the heal: its win is measured from now on, and a pause precedes the next one. */
export function ended(memory: HealMemory, nowMs: number, ksmdMs: Milliseconds | null): HealMemory {
  const { heal } = memory;
  if (heal === null || heal.ended !== null) return memory;
  const used =
    ksmdMs === null || heal.ksmdBeforeMs === null ? null : milliseconds(Math.max(0, ksmdMs - heal.ksmdBeforeMs));
  return {
    ...memory,
    heal: { ...heal, ended: { atMs: nowMs, ksmdMs: used } },
    notBeforeMs: nowMs + pauseAfter(used ?? nowMs - heal.startedAtMs),
  };
}

/** Breaks the heal off, for a rollout or a stop: nothing is learnt from it. */
export function brokenOff(memory: HealMemory, nowMs: number): HealMemory {
  return { ...memory, heal: null, notBeforeMs: nowMs + SHORTEST_PAUSE_MS };
}

/** The heal could not begin. */
export function failed(memory: HealMemory, reason: string): HealMemory {
  return { ...memory, heal: null, stoppedBecause: reason };
}

/** Measures the win of the latest heal, once each of its remaining workers has been sampled again. */
export function measure(memory: HealMemory, look: HealReading): { memory: HealMemory; win: HealWin | null } {
  const { heal } = memory;
  if (heal === null || heal.ended === null) return { memory, win: null };
  const endedAtMs = heal.ended.atMs;
  const left = look.candidates.filter(({ pid }) => heal.unsharedBefore[pid] !== undefined);
  if (left.length === 0) return { memory: { ...memory, heal: null }, win: null };
  if (left.some(({ sampledAtMs, unshared }) => unshared === null || sampledAtMs <= endedAtMs)) {
    return { memory, win: null };
  }
  const before = sum(left.map(({ pid }) => heal.unsharedBefore[pid] ?? bytes(0)));
  const won = before - sum(left.map(({ unshared }) => unshared ?? bytes(0)));
  const win: HealWin = {
    won,
    estimated: heal.estimated,
    tookMs: milliseconds(endedAtMs - heal.startedAtMs),
    ksmdMs: heal.ended.ksmdMs,
  };
  const needed = enough(look.herdPss);
  return {
    win,
    memory: {
      ...memory,
      heal: null,
      wins: remembered(memory.wins, win),
      yieldPart: learntYieldPart(memory.yieldPart, heal.estimated, won),
      leftOver: Object.fromEntries(look.candidates.map(({ pid, unshared }) => [pid, unshared ?? bytes(0)])),
      stoppedBecause:
        won < needed
          ? `the last heal won ${formatMiB(bytes(Math.max(0, won)))}, less than the ${formatMiB(needed)} that make one` +
            ' worth its trouble'
          : null,
    },
  };
}

function pauseAfter(workMs: number): number {
  return Math.max(SHORTEST_PAUSE_MS, workMs * PAUSE_IN_HEALS);
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
