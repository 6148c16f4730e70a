/** A request in progress, as its worker reports it. */
export interface RequestInFlight {
  readonly method: string;
  readonly path: string;
  readonly seconds: number | null;
}
