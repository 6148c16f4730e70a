/**
 * When a herd is healed by rule, and what a heal has won; pure, over plain data.
 *
 * A heal has the kernel merge again what workers hold alone although it is byte for byte the same as the mold's. How
 * much that is can be seen only by comparing pages, which costs seconds of CPU time. What is at hand is an upper
 * bound: the unshared memory of each worker, from the sampler. How much of that is identical is learnt: each heal's
 * win is measured, and the next estimate is worth only as much as the last one was. What a heal has left unshared
 * counts no more, so that only new damage leads to another one. And one that has won little is the last, until new
 * code is loaded: then what is unshared differs, or is written again as fast as it is merged.
 */
import { type Bytes, bytes, formatMiB, mebibytes, type Milliseconds, milliseconds } from '../base/units.ts';
import { enough, FIRST_YIELD_PART, learntYieldPart, remembered, worth } from './learnt-benefit.ts';
import { begin, follow, type HealProgress, type MergingSample } from './heal-settled.ts';

/** A ready worker; `unshared` is null until it has been looked at. */
export interface HealCandidate {
  pid: number;
  unshared: Bytes | null;
  sampledAtMs: number;
}

/** What is known at a tick. */
export interface HealReading {
  nowMs: number;
  /** Of the molds and all workers. */
  herdPss: Bytes;
  candidates: readonly HealCandidate[];
}

/** A heal under way, or one whose win is not measured yet. */
export interface Heal {
  startedAtMs: number;
  /** Workers that have passed the limit, with what each had unshared. */
  unsharedBefore: Record<number, Bytes>;
  estimated: Bytes;
  progress: HealProgress | null;
  /** CPU time that ksmd had used; null where it can't be seen. */
  ksmdBeforeMs: Milliseconds | null;
  ended: { atMs: number; ksmdMs: Milliseconds | null } | null;
}

export interface HealWin {
  /** Bytes less that workers have unshared; negative when it has grown. */
  won: number;
  estimated: Bytes;
  tookMs: Milliseconds;
  ksmdMs: Milliseconds | null;
}

export interface HealMemory {
  /** Since the supervisor started. */
  heals: number;
  heal: Heal | null;
  wins: readonly HealWin[];
  /** Which part of an estimate comes true; learnt from the latest heal. */
  yieldPart: number;
  /** What the latest heal has left unshared, by pid. */
  leftOver: Record<number, Bytes>;
  /** Since when it has been worth it, in supervisor milliseconds. */
  worthSinceMs: number | null;
  notBeforeMs: number;
  /** Why there are no more heals until new code is loaded. */
  stoppedBecause: string | null;
}

/** The limit: a worker with less newly unshared memory is left alone. */
export const WORKER_LIMIT = mebibytes(16);
/** A collection in all workers is over by then, and what it has copied is at rest. */
const WORTH_FOR_MS = 4000;
/** No heal takes longer; a host with much other memory to merge would need it. */
const LONGEST_MS = 120_000;
const SHORTEST_PAUSE_MS = 60_000;
/** After a heal so many times the CPU time of ksmd goes by (or its whole length, where that can't be seen): 2% of a core. */
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

/** New code has other waste. */
export function newCode(memory: HealMemory): HealMemory {
  return { ...newHealMemory(), heals: memory.heals, heal: memory.heal, wins: memory.wins };
}

/** What has been unshared since the latest heal, in the workers in which that passes the limit. */
function newlyUnshared(memory: HealMemory, { candidates }: HealReading): Map<number, Bytes> {
  const found = new Map<number, Bytes>();
  for (const { pid, unshared } of candidates) {
    const fresh = (unshared ?? 0) - (memory.leftOver[pid] ?? 0);
    if (fresh >= WORKER_LIMIT) found.set(pid, bytes(fresh));
  }
  return found;
}

/** Looks once; returns what is remembered from now on, and the reason for a heal if there is one. */
export function consider(memory: HealMemory, look: HealReading): { memory: HealMemory; because: string | null } {
  const waits = memory.heal !== null || memory.stoppedBecause !== null || look.nowMs < memory.notBeforeMs;
  const waste = newlyUnshared(memory, look);
  const estimate = bytes(Math.round(sum(waste.values()) * memory.yieldPart));
  if (waits || waste.size === 0 || estimate < worth(look.herdPss)) {
    return { memory: { ...memory, worthSinceMs: null }, because: null };
  }
  // A herd file of an older version has none.
  const worthSinceMs = memory.worthSinceMs ?? look.nowMs;
  const because =
    look.nowMs - worthSinceMs < WORTH_FOR_MS
      ? null
      : `${waste.size} worker(s) have ${formatMiB(bytes(sum(waste.values())))} unshared; it is estimated to win` +
        ` ${formatMiB(estimate)} of ${formatMiB(look.herdPss)}`;
  return { memory: { ...memory, worthSinceMs }, because };
}

/** A heal begins. `ksmdMs`: the CPU time that ksmd has used so far. */
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

/** A sample of a heal under way: how far it is, and whether it is to end. */
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

/** It has ended: its win is measured from now on, and there is a pause before the next. */
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

/** It was broken off, for a rollout or a stop: nothing is learnt from it. */
export function brokenOff(memory: HealMemory, nowMs: number): HealMemory {
  return { ...memory, heal: null, notBeforeMs: nowMs + SHORTEST_PAUSE_MS };
}

/** It could not begin. */
export function failed(memory: HealMemory, reason: string): HealMemory {
  return { ...memory, heal: null, stoppedBecause: reason };
}

/** Measures what the latest heal has won, once every worker that it was for has been looked at again. */
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
