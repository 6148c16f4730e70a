/** The state of a generation's census. */
export type CensusState =
  | { phase: 'under_way'; askedAtMs: number }
  | { phase: 'written'; objects: number; seconds: number }
  | { phase: 'failed'; reason: string };
