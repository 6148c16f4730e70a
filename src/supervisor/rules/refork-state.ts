/** What reforking by rule remembers: plain data, a part of the herd's state. */
import { newReforkMemory, type ReforkReading, type ReforkMemory } from './refork-rules.ts';

export interface ReforkState {
  rules: ReforkMemory;
  /** The herd as it was last seen at rest: what a refork is compared with. */
  atRest: ReforkReading | null;
  /** The end of the latest rollout that has been taken into account. */
  seenRolloutAtMs: number | null;
}

export function newReforkState(): ReforkState {
  return { rules: newReforkMemory(), atRest: null, seenRolloutAtMs: null };
}
