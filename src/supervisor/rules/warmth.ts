/** How warm a worker is: by the requests that it has answered, since its caches are filled by them. Pure. */

export interface Warmth {
  readonly requests: number;
  readonly forkedAtMs: number;
}

/** The one that has answered most; of equals, the oldest. */
export function mostWarmed<Candidate extends Warmth>(candidates: readonly Candidate[]): Candidate | null {
  const [warmest = null] = candidates.toSorted((a, b) => b.requests - a.requests || a.forkedAtMs - b.forkedAtMs);
  return warmest;
}
