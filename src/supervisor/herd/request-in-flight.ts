/** A request in progress, as its worker reports it. */
export interface RequestInFlight {
  method: string;
  path: string;
  seconds: number | null;
}
