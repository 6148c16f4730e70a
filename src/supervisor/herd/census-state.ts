/** The state of a generation's census. */
export type CensusState =
  | { readonly phase: 'under_way'; readonly askedAtMs: number }
  | { readonly phase: 'written'; readonly objects: number; readonly seconds: number }
  | { readonly phase: 'failed'; readonly reason: string };
