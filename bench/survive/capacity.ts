/**
 * For how long a herd was below its minimum. Pure.
 *
 * The minimum is the number of workers wanted. A worker counts while its process lives, it has said that it is ready,
 * and it has not been told to leave. A worker that was killed (SIGKILL, from outside) is excused, which means counted
 * as if it were there, from its death until the herd is at full strength again, and for REPLACED_WITHIN_MS at most:
 * after that time its absence is the herd's own. If the mold had been killed as well, there is nothing to fork from until
 * the next one is ready; that belongs to the same time.
 *
 * For HEARD_OF_WITHIN_MS after a death nobody need know of it: a herd that had one worker too many then, in the middle
 * of a reload, may let another one go at the same moment, and is at full strength only after it.
 *
 * Time between two looks counts for the later one.
 */
export interface CapacitySample {
  /** When the look began. */
  readonly atMs: number;
  readonly wanted: number;
  readonly ready: number;
}

/** A worker's death by SIGKILL: not before the one time, and not after the other. */
export interface Death {
  readonly fromMs: number;
  readonly toMs: number;
}

export const REPLACED_WITHIN_MS = 5000;
export const HEARD_OF_WITHIN_MS = 250;

export interface Capacity {
  readonly belowMinimumMs: number;
  /** From a death until as many workers as wanted were ready again; the longest. */
  readonly slowestReplacementMs: number;
  /** When it was below, for who looks for the reason. */
  readonly gaps: readonly CapacitySample[];
  /** The longest time between two looks. */
  readonly longestUnseenMs: number;
}

/** `samples` and `deaths` in the order of time. */
export function capacityOf(samples: readonly CapacitySample[], deaths: readonly Death[]): Capacity {
  let belowMinimumMs = 0;
  let slowestReplacementMs = 0;
  let longestUnseenMs = 0;
  let previousMs = samples[0]?.atMs ?? 0;
  let missing: { death: Death; fullAtMs: number | null }[] = [];
  const coming = [...deaths];
  const gaps: CapacitySample[] = [];
  for (const sample of samples) {
    const { atMs } = sample;
    for (let next = coming[0]; next !== undefined && next.fromMs <= atMs; next = coming[0]) {
      missing.push({ death: next, fullAtMs: null });
      coming.shift();
    }
    const sinceMs = atMs - previousMs;
    longestUnseenMs = Math.max(longestUnseenMs, sinceMs);
    previousMs = atMs;
    const isFull = sample.ready >= sample.wanted;
    for (const each of missing) {
      if (!isFull) each.fullAtMs = null;
      else if (atMs >= each.death.toMs) each.fullAtMs ??= atMs;
    }
    for (const { death, fullAtMs } of missing) {
      if (fullAtMs === null || atMs < death.toMs + HEARD_OF_WITHIN_MS) continue;
      slowestReplacementMs = Math.max(slowestReplacementMs, fullAtMs - death.fromMs);
    }
    missing = missing.filter(({ death, fullAtMs }) => fullAtMs === null || atMs < death.toMs + HEARD_OF_WITHIN_MS);
    const excused = missing.filter(({ death }) => atMs - death.toMs <= REPLACED_WITHIN_MS).length;
    if (sample.ready + excused < sample.wanted) {
      belowMinimumMs += sinceMs;
      gaps.push(sample);
    }
  }
  return { belowMinimumMs, slowestReplacementMs, gaps, longestUnseenMs };
}
