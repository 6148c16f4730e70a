/** Requests of innocent visitors. */
import { setTimeout as sleep } from 'node:timers/promises';

const VISITORS = 2;
const PAUSE_MS = 5;
/** For hangs. */
export const ANSWER_MS = 30_000;

export class Visits {
  sent = 0;
  lost = 0;
  readonly #url: string;
  #isOver = false;
  #visitors: Promise<void>[] = [];

  constructor(url: string) {
    this.#url = url;
  }

  begin(): void {
    this.#visitors = Array.from({ length: VISITORS }, () => this.#visit());
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#visitors);
  }

  async #visit(): Promise<void> {
    while (!this.#isOver) {
      this.sent += 1;
      try {
        const response = await fetch(this.#url, { signal: AbortSignal.timeout(ANSWER_MS) });
        if (response.status !== 200 || !/^\d+$/.test(await response.text())) this.lost += 1;
      } catch {
        this.lost += 1;
      }
      await sleep(PAUSE_MS);
    }
  }
}
