/** What reforking by rule remembers: plain data, a part of the herd's state. */
import { newReforkMemory, type ReforkReading, type ReforkMemory } from './refork-rules.ts';

export interface ReforkState {
  readonly rules: ReforkMemory;
  /** The herd's latest reading without a rollout: the baseline for a refork. */
  readonly atRest: ReforkReading | null;
  /** The end of the latest rollout that was taken into account. */
  readonly seenRolloutAtMs: number | null;
}

export function newReforkState(): ReforkState {
  return { rules: newReforkMemory(), atRest: null, seenRolloutAtMs: null };
}
