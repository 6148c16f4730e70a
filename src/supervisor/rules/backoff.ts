/** Pauses that grow with each failure in a row. Pure. */

export interface Backoff {
  /** The pause after the first failure that has one. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** How many failures in a row cost no pause; none if left out. */
  readonly free?: number;
}

/** The pause after so many failures in a row: it doubles with each, up to the longest. */
export function pauseMs(failuresInARow: number, { firstMs, longestMs, free = 0 }: Backoff): number {
  const counted = failuresInARow - free;
  return counted <= 0 ? 0 : Math.min(firstMs * 2 ** (counted - 1), longestMs);
}

/** Whether something was up for long enough to end a row of failures. `null`: it never was. */
export function wasStable(readyAtMs: number | null, nowMs: number, stableMs: number): boolean {
  return readyAtMs !== null && nowMs - readyAtMs >= stableMs;
}
