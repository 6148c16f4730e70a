/** Places in a herd that are vacant for a while because of what was done to it from outside. Pure. */
import type { Vacancy } from './capacity.ts';
import type { WorkerKill } from './verdicts.ts';

export interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A change of the number of wanted workers between these times; `by` is negative for fewer. */
export interface Scaling extends Interval {
  readonly by: number;
}

/**
 * The vacancies from kills and from changes of the wanted number, in the order of time. Nothing can be forked while the
 * keeper is stopped, so a place that becomes vacant then can only be filled after the stop.
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
