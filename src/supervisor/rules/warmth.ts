/** How warm a worker is: measured in requests, because requests fill its caches. Pure. */

export interface Warmth {
  readonly requests: number;
  readonly forkedAtMs: number;
}

/** The worker that has answered most requests; among equals, the oldest. */
export function mostWarmed<Candidate extends Warmth>(candidates: readonly Candidate[]): Candidate | null {
  const [warmest = null] = candidates.toSorted((a, b) => b.requests - a.requests || a.forkedAtMs - b.forkedAtMs);
  return warmest;
}
