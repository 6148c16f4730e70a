/** The phase of the herd, from its start to its end. Writes {@link PhasePart}. */
import { own, type Draft } from '../../herd/draft.ts';
import type { PhasePart } from '../../herd/state.ts';

/** A mold is ready. */
export function serve(draft: Draft): void {
  own<PhasePart>(draft).phase = 'serving';
}

/** No process of the herd is left to serve. */
export function startAgain(draft: Draft): void {
  own<PhasePart>(draft).phase = 'starting';
}

export function stop(draft: Draft): void {
  own<PhasePart>(draft).phase = 'stopping';
}

/** The supervisor has nothing left to decide. */
export function end(draft: Draft): void {
  own<PhasePart>(draft).phase = 'ended';
}
