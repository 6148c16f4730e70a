/**
 * Numbered requests, such as `/?number=17`, at a steady pace, each on its own connection. Each answer is compared with
 * the right one. A server that is slower than the pace gets at most `atOnce` requests at a time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../../../src/base/clock.ts';
import { get } from '../../../bench/lib/http.ts';

export interface LoadOptions {
  readonly port: number;
  readonly perSecond: number;
  readonly atOnce: number;
  readonly timeoutMs: number;
  readonly answerTo: (number: number) => string;
}

export interface LoadReport {
  /** Numbers of the requests with the right answer. */
  readonly answered: readonly number[];
  readonly failures: readonly { readonly number: number; readonly what: string }[];
}

export class NumberedLoad {
  readonly #options: LoadOptions;
  readonly #answered: number[] = [];
  readonly #failures: { number: number; what: string }[] = [];
  readonly #underWay = new Set<Promise<void>>();
  readonly #enough = new AbortController();
  readonly #sending: Promise<void>;
  #sent = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#sending = this.#send();
  }

  /** Waits until `count` more requests have been sent. Returns false if they were not sent within the time. */
  async sendMore(count: number, withinMs = Infinity): Promise<boolean> {
    const enough = this.#sent + count;
    const deadline = monotonicClock.now() + withinMs;
    while (this.#sent < enough && monotonicClock.now() < deadline) await sleep(5);
    return this.#sent >= enough;
  }

  /** Sends no more requests, waits for the end of the last one, and reports all. */
  async end(): Promise<LoadReport> {
    this.#enough.abort();
    await this.#sending;
    await Promise.all(this.#underWay);
    return { answered: this.#answered, failures: this.#failures };
  }

  async #send(): Promise<void> {
    const { perSecond, atOnce } = this.#options;
    let dueAtMs: number = monotonicClock.now();
    while (!this.#enough.signal.aborted) {
      if (this.#underWay.size >= atOnce) {
        await Promise.race(this.#underWay);
        continue;
      }
      // Lost time is not made up for.
      dueAtMs = Math.max(dueAtMs + 1000 / perSecond, monotonicClock.now());
      await sleep(dueAtMs - monotonicClock.now());
      this.#sent += 1;
      const request = this.#ask(this.#sent);
      this.#underWay.add(request);
      void request.finally(() => this.#underWay.delete(request));
    }
  }

  async #ask(number: number): Promise<void> {
    const { port, timeoutMs, answerTo } = this.#options;
    try {
      const { status, body } = await get(port, `/?number=${number}`, timeoutMs);
      if (status === 200 && body === answerTo(number)) this.#answered.push(number);
      else this.#failures.push({ number, what: `status ${status}, ${JSON.stringify(body.slice(0, 100))}` });
    } catch (error) {
      this.#failures.push({ number, what: error instanceof Error ? error.message : String(error) });
    }
  }
}
