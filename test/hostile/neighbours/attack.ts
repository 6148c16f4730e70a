import type { Stage } from '../stage.ts';

/** An attack by another user of the machine on a user who runs Cowherd there. */
export interface NeighbourAttack {
  readonly name: string;
  /**
   * Carries out the attack and returns its harm. Decoys, visitors and the herd are checked afterwards in any case.
   * Throws if the attack itself did not work as intended.
   */
  readonly attempt: (stage: Stage) => Promise<readonly string[]>;
}
