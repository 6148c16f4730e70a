/** What healing by rule remembers: plain data, a part of the herd's state. */
import { newHealMemory, type HealMemory } from './heal-rules.ts';

export interface HealState {
  readonly rules: HealMemory;
  /** Why nothing can be healed on this host; already logged. */
  readonly problem: string | null;
  /** The end of the latest rollout that was taken into account. */
  readonly seenRolloutAtMs: number | null;
}

export function newHealState(): HealState {
  return { rules: newHealMemory(), problem: null, seenRolloutAtMs: null };
}
