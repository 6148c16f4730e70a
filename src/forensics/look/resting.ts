/**
 * Rests of a look, so that the inspected processes have the machine to themselves most of the time.
 *
 * A low priority alone is not enough: a request that arrives while a core is busy with the look is slowed down by cold
 * caches and by what cores share. So a short look is spread over a time that its user does not mind, in stretches of
 * work that are short compared with a request. A look with much to do does not rest: its user would wait too long.
 */
import type { Clock } from '../../base/clock.ts';

/** How long a look takes with its rests, in milliseconds. */
const AIM_MS = 1400;
/** A rest is at most this many times the stretch of work before it, so that a small look still ends soon. */
const MOST_RESTS = 9;
/** Shorter rests don't help: a look that works most of the time disturbs its neighbors anyway. */
const LEAST_RESTS = 1;
const SHORTEST_STRETCH_MS = 1;

/** About how long a census takes for each byte that can hold objects, on a machine of 2024. */
export const CENSUS_MS_A_BYTE = 6 / 2 ** 20;

export interface Stretch {
  /** Work since the last rest, in milliseconds. */
  readonly workedMs: number;
  /** Time since the look began. */
  readonly elapsedMs: number;
  /** Estimate of the remaining work. */
  readonly leftMs: number;
}

/** How long to rest after a stretch of work, in milliseconds; 0 for no rest. Pure. */
export function restAfter({ workedMs, elapsedMs, leftMs }: Stretch): number {
  const timeMs = AIM_MS - elapsedMs;
  const rests = (timeMs - leftMs) / Math.max(leftMs, SHORTEST_STRETCH_MS);
  if (workedMs < SHORTEST_STRETCH_MS || rests < LEAST_RESTS) return 0;
  return Math.min(timeMs, workedMs * Math.min(MOST_RESTS, rests));
}

export class Rests {
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #block: (ms: number) => void;
  #restedMs: number;
  #leftMs: number;

  /**
   * @param leftMs estimate of all work
   * @param startedMs when the look began, by the clock
   * @param block blocks the thread for this long
   */
  constructor(
    clock: Clock,
    leftMs: number,
    block: (ms: number) => void = blockThread,
    startedMs: number = clock.now(),
  ) {
    this.#clock = clock;
    this.#block = block;
    this.#startedMs = startedMs;
    this.#restedMs = clock.now();
    this.#leftMs = leftMs;
  }

  /**
   * Blocks the thread, which has nothing else to do, if a rest is due. Call it between two small pieces of work.
   *
   * @param leftMs estimate of the remaining work; defaults to the last one given
   */
  rest(leftMs = this.#leftMs): void {
    this.#leftMs = leftMs;
    const nowMs = this.#clock.now();
    const forMs = restAfter({ workedMs: nowMs - this.#restedMs, elapsedMs: nowMs - this.#startedMs, leftMs });
    if (forMs === 0) return;
    this.#block(forMs);
    this.#restedMs = this.#clock.now();
  }
}

const nobodyWakesIt = new Int32Array(new SharedArrayBuffer(4));

function blockThread(ms: number): void {
  Atomics.wait(nobodyWakesIt, 0, 0, ms);
}
