/** Load at a steady pace from another process; see `paced-load-process.ts` for what it does. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { CHECKOUT } from './places.ts';

export interface PacedLoadOptions {
  readonly port: number;
  readonly path: string;
  readonly perSecond: number;
}

/** A request, by when it was due (CLOCK_MONOTONIC), and how long after that its answer was complete. */
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

  /** Returns when the first answer is there. */
  static async start(options: PacedLoadOptions): Promise<PacedLoad> {
    const child = fork(path.join(import.meta.dirname, 'paced-load-process.ts'), [JSON.stringify(options)], {
      cwd: CHECKOUT,
      execArgv: ['--import', 'tsx'],
      serialization: 'advanced',
    });
    await once(child, 'message');
    return new PacedLoad(child);
  }

  /** No more requests; all of them, when the last has its answer. */
  async end(): Promise<PacedRequest[]> {
    const answer = once(this.#child, 'message');
    this.#child.send('enough');
    const [requests] = (await answer) as [PacedRequest[]];
    process.removeListener('exit', this.#endIt);
    return requests;
  }
}
