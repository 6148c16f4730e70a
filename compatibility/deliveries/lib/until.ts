/** Waits for a condition, instead of for a time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../../../src/base/clock.ts';

/** Polls `look` until its result is not null, and returns that. Throws an error with `what` when it takes too long. */
export async function until<Value>(
  what: string,
  withinMs: number,
  look: () => Value | null | Promise<Value | null>,
): Promise<Value> {
  const deadline = monotonicClock.now() + withinMs;
  for (;;) {
    const value = await look();
    if (value !== null) return value;
    if (monotonicClock.now() > deadline) throw new Error(`not within ${withinMs / 1000} s: ${what}`);
    await sleep(20);
  }
}
