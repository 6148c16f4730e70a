/**
 * Rests of a look, so that those who are looked at have the machine for themselves most of the time.
 *
 * A low priority alone does not do that: a request that comes while a core is at work for somebody else is slower all
 * the same, by what it finds in the caches and by what cores share. So a look that would be short is spread over a
 * time that nobody minds, in stretches of work that are short beside a request. One that has much to do does not rest:
 * it would keep who waits for it waiting.
 */
import type { Clock } from '../../base/clock.ts';

/** What a look takes with its rests, in milliseconds. */
const AIM_MS = 1400;
/** No stretch of work is followed by a longer rest than so many times itself: a look at little is over soon. */
const MOST_RESTS = 9;
/** Fewer would win nothing: who works most of the time is in the way all the time. */
const LEAST_RESTS = 1;
const SHORTEST_STRETCH_MS = 1;

export interface Stretch {
  /** Since the last rest, in milliseconds. */
  readonly workedMs: number;
  /** Since the look began. */
  readonly elapsedMs: number;
  /** About how much work is left. */
  readonly leftMs: number;
}

/** How long to rest after a stretch of work, in milliseconds; 0 for going on at once. Pure. */
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
   * @param leftMs about how much work is to be done
   * @param block keeps the thread from working for so long
   */
  constructor(clock: Clock, leftMs: number, block: (ms: number) => void = blockThread) {
    this.#clock = clock;
    this.#block = block;
    this.#startedMs = clock.now();
    this.#restedMs = this.#startedMs;
    this.#leftMs = leftMs;
  }

  /**
   * To be called between two small pieces of work. Blocks the thread, which has nothing else to do.
   *
   * @param leftMs about how much work is left; what was said last where the caller does not know it
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
