/**
 * For how long a herd was below its minimum. Pure.
 *
 * The minimum is the number of workers wanted. A worker counts while its process lives, it has said that it is ready,
 * and it has not been told to leave. A worker that was killed (SIGKILL, from outside), or that is wanted since a moment
 * ago, is excused, which means counted as if it were there, until the herd is at full strength again, and for
 * FILLED_WITHIN_MS at most: after that time its absence is the herd's own. If the mold had been killed as well, there is
 * nothing to fork from until the next one is ready; that belongs to the same time. While somebody holds the keeper, it
 * does not pass.
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

/** A place that became vacant: not before the one time, and not after the other. */
export interface Vacancy {
  readonly fromMs: number;
  readonly toMs: number;
  /** From when on the herd can do something about it. */
  readonly fillableFromMs: number;
}

export const FILLED_WITHIN_MS = 5000;
export const HEARD_OF_WITHIN_MS = 250;

export interface Capacity {
  readonly belowMinimumMs: number;
  /** From a vacancy, or since it could be filled, until as many workers as wanted were ready again; the longest. */
  readonly slowestReplacementMs: number;
  /** When it was below, for who looks for the reason. */
  readonly gaps: readonly CapacitySample[];
  /** The longest time between two looks. */
  readonly longestUnseenMs: number;
}

/** `samples` and `vacancies` in the order of time. */
export function capacityOf(samples: readonly CapacitySample[], vacancies: readonly Vacancy[]): Capacity {
  let belowMinimumMs = 0;
  let slowestReplacementMs = 0;
  let longestUnseenMs = 0;
  let previousMs = samples[0]?.atMs ?? 0;
  let missing: { vacancy: Vacancy; fullAtMs: number | null }[] = [];
  const coming = [...vacancies];
  const gaps: CapacitySample[] = [];
  for (const sample of samples) {
    const { atMs } = sample;
    for (let next = coming[0]; next !== undefined && next.fromMs <= atMs; next = coming[0]) {
      missing.push({ vacancy: next, fullAtMs: null });
      coming.shift();
    }
    const sinceMs = atMs - previousMs;
    longestUnseenMs = Math.max(longestUnseenMs, sinceMs);
    previousMs = atMs;
    const isFull = sample.ready >= sample.wanted;
    for (const each of missing) {
      if (!isFull) each.fullAtMs = null;
      else if (atMs >= each.vacancy.toMs) each.fullAtMs ??= atMs;
    }
    for (const { vacancy, fullAtMs } of missing) {
      if (fullAtMs === null || atMs < vacancy.toMs + HEARD_OF_WITHIN_MS) continue;
      const { fromMs, toMs, fillableFromMs } = vacancy;
      const sinceMs = fillableFromMs > toMs ? fillableFromMs : fromMs;
      slowestReplacementMs = Math.max(slowestReplacementMs, fullAtMs - sinceMs);
    }
    missing = missing.filter(({ vacancy, fullAtMs }) => fullAtMs === null || atMs < vacancy.toMs + HEARD_OF_WITHIN_MS);
    const excused = missing.filter(({ vacancy }) => atMs - vacancy.fillableFromMs <= FILLED_WITHIN_MS).length;
    if (sample.ready + excused < sample.wanted) {
      belowMinimumMs += sinceMs;
      gaps.push(sample);
    }
  }
  return { belowMinimumMs, slowestReplacementMs, gaps, longestUnseenMs };
}
