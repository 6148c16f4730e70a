/** A request that a worker is answering, as the worker tells it. */
export interface RequestInFlight {
  method: string;
  path: string;
  seconds: number | null;
}
