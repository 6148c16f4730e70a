/** A census that may still be under way while workers are compared with their reference. */
import type { Census } from '../owners/census.ts';

export interface ComingCensus {
  /** The census; null if there is none; undefined while it is under way. */
  look(): Census | null | undefined;
  /** The same, once it is no longer under way. */
  wait(): Census | null;
}

/** A census that is there from the start, or null for none. */
export function knownCensus(there: Census | null): ComingCensus {
  return { look: () => there, wait: () => there };
}

export const NO_CENSUS = knownCensus(null);
