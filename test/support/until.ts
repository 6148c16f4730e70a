/** Waits for a condition, instead of for a time. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Factor on all time limits, for instance on an emulated machine. */
const PATIENCE = Number(process.env['COWHERD_TEST_PATIENCE'] ?? 1);

/**
 * Polls `look` until its result is not null, undefined or false, and returns that. Throws an error with `what` when it
 * takes too long. The limit is generous: what takes a second on an idle machine may take many on a busy one.
 */
export async function until<Value>(
  what: string | (() => string),
  look: () => Value | Promise<Value>,
  timeoutMs = 100_000,
): Promise<NonNullable<Value>> {
  const deadline = performance.now() + timeoutMs * PATIENCE;
  for (;;) {
    const value = await look();
    if (value !== null && value !== undefined && value !== false) return value;
    if (performance.now() > deadline) {
      throw new Error(`not within ${timeoutMs * PATIENCE} ms: ${typeof what === 'string' ? what : what()}`);
    }
    await sleep(20);
  }
}
