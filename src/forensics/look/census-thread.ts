/** The thread that takes a census (`census-in-thread.ts`) and posts it. */
import { type MessagePort, workerData } from 'node:worker_threads';
import { monotonicClock } from '../../base/clock.ts';
import { CowherdError } from '../../base/errors.ts';
import { tryCensus } from '../census/take-census.ts';
import type { CensusTables } from '../owners/census.ts';
import { openSubject } from './open-subject.ts';
import { CENSUS_MS_A_BYTE, Rests } from './resting.ts';

export interface CensusTask {
  readonly pid: number;
  /** Of Python 3. */
  readonly minor: number;
  readonly pageBytes: number;
  /** When the look began, by the monotonic clock. */
  readonly startedMs: number;
}

/** Given to the thread. */
export interface CensusThreadData {
  readonly task: CensusTask;
  readonly port: MessagePort;
  /** Shared: the number of signs of life, woken with each; the last comes after the answer. */
  readonly signs: Int32Array;
  /** Shared: the part of the census that is done, from 0 to 1. */
  readonly part: Float64Array;
}

/** `problem` says why there are no tables. */
export interface CensusAnswer {
  readonly tables: CensusTables | null;
  readonly problem: string | null;
}

function answer({ pid, minor, pageBytes, startedMs }: CensusTask, sign: (part: number) => void): CensusAnswer {
  const rests = new Rests(monotonicClock, 0, undefined, startedMs);
  const onProgress = (part: number, bytes: number): void => {
    sign(part);
    rests.rest((1 - part) * bytes * CENSUS_MS_A_BYTE);
  };
  try {
    const subject = openSubject(pid, pageBytes);
    try {
      const { census, problem } = tryCensus(subject, { minor, pageBytes, onProgress });
      return { tables: census?.tables ?? null, problem };
    } finally {
      subject.close();
    }
  } catch (error) {
    // A process that has ended or can't be read is an error of the look, which meets it too.
    if (error instanceof CowherdError) return { tables: null, problem: error.message };
    return { tables: null, problem: `the walk failed (${String(error)})` };
  }
}

function live({ task, port, signs, part }: CensusThreadData): void {
  const sign = (done: number): void => {
    part[0] = done;
    Atomics.add(signs, 0, 1);
    Atomics.notify(signs, 0);
  };
  // The receiver is a thread of this process, which has no origin.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  port.postMessage(answer(task, sign));
  sign(1);
}

live(workerData as CensusThreadData);
