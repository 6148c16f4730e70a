/** Time as a parameter, so that code that depends on it can be tested without waiting. */
import { hrtime } from 'node:process';
import { type Milliseconds, milliseconds, type Nanoseconds, nanoseconds, nanosecondsToMilliseconds } from './units.ts';

/**
 * CLOCK_MONOTONIC, whose zero is the machine's start: the same clock as Python's `time.monotonic_ns()`, so that times
 * from the scoreboard can be compared with these.
 */
export interface Clock {
  now(): Milliseconds;
  nowNs(): Nanoseconds;
}

/** libuv reads CLOCK_MONOTONIC for `hrtime` (libuv, src/unix/linux.c, `uv__hrtime`). */
export const monotonicClock: Clock = {
  now: () => nanosecondsToMilliseconds(nanoseconds(hrtime.bigint())),
  nowNs: () => nanoseconds(hrtime.bigint()),
};

export interface ManualClock extends Clock {
  advance(by: Milliseconds): void;
}

/** A clock that stands still until it is advanced. */
export function manualClock(start: Milliseconds = milliseconds(0)): ManualClock {
  let current: number = start;
  return {
    now: () => milliseconds(current),
    nowNs: () => nanoseconds(BigInt(Math.round(current * 1e6))),
    advance(by) {
      current += by;
    },
  };
}
