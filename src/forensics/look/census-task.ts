/** What a look and the thread that takes a census for it exchange. */
import type { MessagePort } from 'node:worker_threads';
import type { CensusTables } from '../owners/census.ts';

export interface CensusTask {
  readonly pid: number;
  readonly pageBytes: number;
  /** When the look began, by the monotonic clock. */
  readonly startedMs: number;
}

/** What the thread is told about the process's interpreter, in `CensusThreadData.minor`. */
export const NOT_YET = 0;
export const NO_CENSUS_WANTED = -1;

/** Given to the thread. */
export interface CensusThreadData {
  readonly task: CensusTask;
  readonly port: MessagePort;
  /** Shared: the number of signs of life, woken with each; the last comes after the answer. */
  readonly signs: Int32Array;
  /** Shared: the minor version of Python 3 once it is known, or one of the two numbers above. */
  readonly minor: Int32Array;
  /** Shared: the part of the census that is done, from 0 to 1. */
  readonly part: Float64Array;
}

/** `problem` says why there are no tables. */
export interface CensusAnswer {
  readonly tables: CensusTables | null;
  readonly problem: string | null;
}
