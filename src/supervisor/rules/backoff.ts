/** Pauses that grow with each failure in a row. Pure. */

export interface Backoff {
  /** The pause after the first failure that is not free. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** How many failures in a row cost no pause; 0 if left out. */
  readonly free?: number;
}

/** The pause after this many failures in a row: doubled with each, up to the longest. */
export function pauseMs(failuresInARow: number, { firstMs, longestMs, free = 0 }: Backoff): number {
  const counted = failuresInARow - free;
  return counted <= 0 ? 0 : Math.min(firstMs * 2 ** (counted - 1), longestMs);
}

/** Whether something was up long enough to end a row of failures. `null`: it was never up. */
export function wasStable(readyAtMs: number | null, nowMs: number, stableMs: number): boolean {
  return readyAtMs !== null && nowMs - readyAtMs >= stableMs;
}
