/** Clients that send requests all the time and collect failures, and a watch on the number of ready workers. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Run } from './cowherd.ts';

/** Several clients, each with a new connection for every request. */
export class Load {
  answered = 0;
  readonly failures: string[] = [];
  readonly texts = new Set<string>();
  #running = true;
  readonly #done: Promise<unknown>;

  /** @param pauseMs pause of each client between two requests */
  constructor(run: Pick<Run, 'get'>, pathname: string, clients: number, pauseMs = 0) {
    const one = async (): Promise<void> => {
      while (this.#running) {
        try {
          const answer = await run.get(pathname);
          this.answered += 1;
          this.texts.add(answer.text);
          if (answer.status !== 200) this.failures.push(`status ${answer.status}`);
        } catch (error) {
          this.failures.push(String(error));
        }
        if (pauseMs > 0) await sleep(pauseMs);
      }
    };
    this.#done = Promise.all(Array.from({ length: clients }, one));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }
}

/** The smallest number of ready workers that `status` reports, from now until `stop`. */
export class FewestReady {
  #fewest = Infinity;
  #running = true;
  #error: unknown = null;
  readonly #done: Promise<void>;

  constructor(run: Run) {
    const look = async (): Promise<void> => {
      while (this.#running) {
        this.#fewest = Math.min(this.#fewest, (await run.status()).herd.workers_ready);
        await sleep(5);
      }
    };
    // stop() throws it. A test that has failed already may never call stop().
    this.#done = look().catch((error: unknown) => {
      this.#error = error;
    });
  }

  async stop(): Promise<number> {
    this.#running = false;
    await this.#done;
    if (this.#error !== null) throw this.#error;
    return this.#fewest;
  }
}
