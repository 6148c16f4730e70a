/** Places in a herd that nobody fills for a while, by what was done to it from outside. Pure. */
import type { Vacancy } from './capacity.ts';
import type { WorkerKill } from './verdicts.ts';

export interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The number of workers wanted was changed between these times, by so many, up or down. */
export interface Scaling extends Interval {
  readonly by: number;
}

/**
 * The kills and the changes of the number wanted, in the order of time. While the keeper stands still nothing can be
 * forked: a place that is vacant then can be filled when it goes on.
 */
export function vacanciesOf(
  kills: readonly WorkerKill[],
  scalings: readonly Scaling[],
  keeperStops: readonly Interval[],
): Vacancy[] {
  const intervals: Interval[] = [
    ...kills.map((kill) => ({ fromMs: kill.stoppedAtMs, toMs: kill.endedAtMs })),
    ...scalings.flatMap(({ fromMs, toMs, by }) => Array.from({ length: Math.abs(by) }, () => ({ fromMs, toMs }))),
  ];
  return intervals
    .map(({ fromMs, toMs }) => ({ fromMs, toMs, fillableFromMs: whenKeeperRuns(toMs, keeperStops) }))
    .toSorted((a, b) => a.fromMs - b.fromMs);
}

function whenKeeperRuns(atMs: number, keeperStops: readonly Interval[]): number {
  return keeperStops.find(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs)?.toMs ?? atMs;
}
