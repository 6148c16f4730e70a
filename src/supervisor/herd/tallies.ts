/** Running totals of a herd, from its start on: plain data, a part of the herd's state, so that an adoption keeps them. */
import { DURATION_BOUNDS_SECONDS, type ScoreboardRow } from '../../agent/scoreboard.ts';

/** What the workers of one slot have counted in all. */
export interface SlotTotals {
  readonly requests: number;
  readonly responseErrors: number;
  readonly busySeconds: number;
  readonly collectionsOutside: number;
  readonly collectionsOutsideSeconds: number;
  readonly collectionsInside: number;
  readonly collectionsInsideSeconds: number;
  readonly guardHeld: number;
  readonly guardReported: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
}

/** Finished requests by duration; see DURATION_BOUNDS_SECONDS. */
export interface DurationTotals {
  readonly seconds: number;
  readonly buckets: readonly number[];
}

/** Totals of workers that are gone, and of events. */
export interface Tallies {
  readonly slots: Readonly<Record<number, SlotTotals>>;
  readonly durations: DurationTotals;
  /** Deaths of workers, by cause. */
  readonly deaths: Readonly<Record<string, number>>;
  readonly moldDeaths: number;
  /** Rollouts by kind and outcome, such as `reload done` and `refork failed`. */
  readonly rollouts: Readonly<Record<string, number>>;
  /** When the last reload was done; null if there was none. */
  readonly lastReloadAtMs: number | null;
}

/** Counters of one process, and what the kernel counted for it. */
export interface ProcessTotals {
  readonly row: ScoreboardRow;
  readonly minorFaults: number;
  readonly majorFaults: number;
}

export function startTallies(): Tallies {
  return { slots: {}, durations: noDurations(), deaths: {}, moldDeaths: 0, rollouts: {}, lastReloadAtMs: null };
}

export function noDurations(): DurationTotals {
  return { seconds: 0, buckets: Array.from({ length: DURATION_BOUNDS_SECONDS.length + 1 }, () => 0) };
}

const NOTHING: SlotTotals = {
  requests: 0,
  responseErrors: 0,
  busySeconds: 0,
  collectionsOutside: 0,
  collectionsOutsideSeconds: 0,
  collectionsInside: 0,
  collectionsInsideSeconds: 0,
  guardHeld: 0,
  guardReported: 0,
  minorFaults: 0,
  majorFaults: 0,
};

/** The slot's totals with those of one more process. */
export function withProcess(before: SlotTotals | undefined, process: ProcessTotals): SlotTotals {
  const { row, minorFaults, majorFaults } = process;
  const slot = before ?? NOTHING;
  return {
    requests: slot.requests + row.requestsFinished,
    responseErrors: slot.responseErrors + row.responseErrors,
    busySeconds: slot.busySeconds + row.busySeconds,
    collectionsOutside: slot.collectionsOutside + row.collectionsOutside,
    collectionsOutsideSeconds: slot.collectionsOutsideSeconds + row.collectionsOutsideSeconds,
    collectionsInside: slot.collectionsInside + row.collectionsInside,
    collectionsInsideSeconds: slot.collectionsInsideSeconds + row.collectionsInsideSeconds,
    guardHeld: slot.guardHeld + row.guardHeld,
    guardReported: slot.guardReported + row.guardReported,
    minorFaults: slot.minorFaults + minorFaults,
    majorFaults: slot.majorFaults + majorFaults,
  };
}

export function withDurations(before: DurationTotals, row: ScoreboardRow): DurationTotals {
  return {
    seconds: before.seconds + row.durationSeconds,
    buckets: before.buckets.map((count, bucket) => count + (row.durationBuckets[bucket] ?? 0)),
  };
}
