/** Takes a census in a thread of its own, while this thread compares workers and has no time to listen. */
import { MessageChannel, receiveMessageOnPort, type MessagePort, Worker } from 'node:worker_threads';
import { type Clock, monotonicClock } from '../../base/clock.ts';
import type { ComingCensus } from '../compare/coming-census.ts';
import { Census } from '../owners/census.ts';
import { type CensusAnswer, type CensusTask, type CensusThreadData, NO_CENSUS_WANTED } from './census-task.ts';

const THREAD = new URL('./census-thread.js', import.meta.url);

/** A thread that gives no sign of life for so long has ended without an answer, for lack of memory for example. */
const LONGEST_SILENCE_MS = 60_000;
const LOOK_EVERY_MS = 100;

export type StartThread = (data: CensusThreadData) => void;

export class CensusInThread implements ComingCensus {
  readonly #port: MessagePort;
  readonly #signs = new Int32Array(new SharedArrayBuffer(4));
  readonly #minor = new Int32Array(new SharedArrayBuffer(4));
  readonly #part = new Float64Array(new SharedArrayBuffer(8));
  readonly #onWaiting: (part: number) => void;
  readonly #clock: Clock;
  #census: Census | null | undefined;
  /** Why there is no census; null if there is one, or while it is under way. */
  problem: string | null = null;

  /** @param onWaiting called while a census is waited for, with the part of it that is done; with 1 at the end of a wait */
  constructor(
    task: CensusTask,
    onWaiting: (part: number) => void = () => {},
    start: StartThread = startThread,
    clock: Clock = monotonicClock,
  ) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#onWaiting = onWaiting;
    this.#clock = clock;
    start({ task, port: port2, signs: this.#signs, minor: this.#minor, part: this.#part });
  }

  /**
   * Has the thread, which has loaded its code by now, begin.
   *
   * @param minor of the process's Python 3; null: there is to be no census
   */
  begin(minor: number | null): void {
    Atomics.store(this.#minor, 0, minor ?? NO_CENSUS_WANTED);
    Atomics.notify(this.#minor, 0);
    if (minor === null) this.#end(null, null);
  }

  look(): Census | null | undefined {
    if (this.#census !== undefined) return this.#census;
    const received = receiveMessageOnPort(this.#port);
    if (received === undefined) return undefined;
    const { tables, problem } = received.message as CensusAnswer;
    return this.#end(tables === null ? null : new Census(tables), problem);
  }

  wait(): Census | null {
    let signs = Atomics.load(this.#signs, 0);
    let aliveMs = this.#clock.now();
    let hasWaited = false;
    for (let census = this.look(); ; census = this.look()) {
      if (census !== undefined) {
        if (hasWaited) this.#onWaiting(1);
        return census;
      }
      Atomics.wait(this.#signs, 0, signs, LOOK_EVERY_MS);
      const nowMs = this.#clock.now();
      const latest = Atomics.load(this.#signs, 0);
      if (latest !== signs) aliveMs = nowMs;
      else if (nowMs - aliveMs > LONGEST_SILENCE_MS) return this.#end(null, 'its thread has ended without an answer');
      signs = latest;
      hasWaited = true;
      this.#onWaiting(Math.min(0.99, this.#part[0] ?? 0));
    }
  }

  #end<Found extends Census | null>(census: Found, problem: string | null): Found {
    this.#port.close();
    this.#census = census;
    this.problem = problem;
    return census;
  }
}

function startThread(data: CensusThreadData): void {
  const thread = new Worker(THREAD, { workerData: data, transferList: [data.port] });
  // An error of the thread costs the census only, and is found out by its silence.
  thread.on('error', () => {});
  thread.unref();
}
