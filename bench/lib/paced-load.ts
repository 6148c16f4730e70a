/** Load at a steady pace from another process; `paced-load-process.ts` describes it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { CHECKOUT } from './places.ts';

export interface PacedLoadOptions {
  readonly port: number;
  readonly path: string;
  readonly perSecond: number;
}

/** A request: the time it was due (CLOCK_MONOTONIC), and how long after that its answer was complete. */
export interface PacedRequest {
  readonly dueAtMs: number;
  readonly latencyMs: number;
  /** Null for an answer with status 200. */
  readonly failure: string | null;
}

export class PacedLoad {
  readonly #child: ChildProcess;
  readonly #endIt = (): void => void this.#child.kill('SIGKILL');

  private constructor(child: ChildProcess) {
    this.#child = child;
    process.once('exit', this.#endIt);
  }

  /** Starts the load, and returns at the first answer. */
  static async start(options: PacedLoadOptions): Promise<PacedLoad> {
    const child = fork(path.join(import.meta.dirname, 'paced-load-process.ts'), [JSON.stringify(options)], {
      cwd: CHECKOUT,
      execArgv: ['--import', 'tsx'],
      serialization: 'advanced',
    });
    await once(child, 'message');
    return new PacedLoad(child);
  }

  /** Sends no more requests, waits for the last answer, and returns all requests. */
  async end(): Promise<PacedRequest[]> {
    const answer = once(this.#child, 'message');
    this.#child.send('enough');
    const [requests] = (await answer) as [PacedRequest[]];
    process.removeListener('exit', this.#endIt);
    return requests;
  }
}
