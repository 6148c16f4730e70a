import type { Stage } from '../stage.ts';

/** What another user of the machine does to whoever runs Cowherd there. */
export interface NeighbourAttack {
  readonly name: string;
  /**
   * Carries it out, and says what has suffered. Decoys, visitors and the herd are looked at afterwards, in any case.
   * Throws where the attack itself was not what it should be.
   */
  readonly attempt: (stage: Stage) => Promise<readonly string[]>;
}
