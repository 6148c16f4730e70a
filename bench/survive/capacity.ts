/**
 * How long a herd was below its minimum. Pure.
 *
 * The minimum is the number of workers wanted. A worker counts while its process lives, it has said that it is ready,
 * and it has not been told to leave. Some missing workers are excused, which means counted as present: a worker that
 * was killed (SIGKILL, from outside), and one that was asked for a moment ago. The excuse lasts until the herd is at
 * full strength again, and for at most FILLED_WITHIN_MS: a longer absence is the herd's own fault. If the mold was
 * killed too, there is nothing to fork from until the next one is ready, which has to happen within the same time.
 * While the keeper is stopped from outside, that time does not run.
 *
 * For HEARD_OF_WITHIN_MS after a death the herd need not know of it. A herd that had one worker too many then, in the
 * middle of a reload, may let another one go at the same moment, and so reach full strength only later.
 *
 * The time between two looks counts for the later one.
 */
export interface CapacitySample {
  /** When the look took place (CLOCK_MONOTONIC). */
  readonly atMs: number;
  readonly wanted: number;
  readonly ready: number;
}

/** A place that became vacant between `fromMs` and `toMs`. */
export interface Vacancy {
  readonly fromMs: number;
  readonly toMs: number;
  /** When the herd can fill it at the earliest. */
  readonly fillableFromMs: number;
}

export const FILLED_WITHIN_MS = 5000;
export const HEARD_OF_WITHIN_MS = 250;

export interface Capacity {
  readonly belowMinimumMs: number;
  /** The longest time from a vacancy, or from when it could be filled, until all wanted workers were ready again. */
  readonly slowestReplacementMs: number;
  /** The looks that found the herd below its minimum, for finding the reason. */
  readonly gaps: readonly CapacitySample[];
  /** The longest time between two looks. */
  readonly longestUnseenMs: number;
}

/** Expects `samples` and `vacancies` in the order of time. */
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
