/** The thread that takes a census (`census-in-thread.ts`) and posts it. */
import { workerData } from 'node:worker_threads';
import { monotonicClock } from '../../base/clock.ts';
import { CowherdError } from '../../base/errors.ts';
import { tryCensus } from '../census/take-census.ts';
import { type CensusAnswer, type CensusThreadData, NOT_YET } from './census-task.ts';
import { openSubject } from './open-subject.ts';
import { CENSUS_MS_A_BYTE, Rests } from './resting.ts';

/** The interpreter is known within this time, or nobody is there any more. */
const LONGEST_WAIT_MS = 60_000;

function answer({ task, minor: told }: CensusThreadData, sign: (part: number) => void): CensusAnswer {
  const { pid, pageBytes, startedMs } = task;
  const rests = new Rests(monotonicClock, 0, undefined, startedMs);
  const onProgress = (part: number, bytes: number): void => {
    sign(part);
    rests.rest((1 - part) * bytes * CENSUS_MS_A_BYTE);
  };
  try {
    const subject = openSubject(pid, pageBytes);
    try {
      Atomics.wait(told, 0, NOT_YET, LONGEST_WAIT_MS);
      const minor = Atomics.load(told, 0);
      if (minor <= NOT_YET) return { tables: null, problem: null };
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

function live(data: CensusThreadData): void {
  const { port, signs, part } = data;
  const sign = (done: number): void => {
    part[0] = done;
    Atomics.add(signs, 0, 1);
    Atomics.notify(signs, 0);
  };
  // The receiver is a thread of this process, which has no origin.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  port.postMessage(answer(data, sign));
  sign(1);
}

live(workerData as CensusThreadData);
