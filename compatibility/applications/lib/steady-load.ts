/**
 * Requests at a steady pace, each on its own connection, whether or not earlier ones have been answered. So a pause of
 * the server affects every request due during the pause.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../../../src/base/clock.ts';
import { isSystemError } from '../../../src/base/errors.ts';
import type { LoadRequest } from './load-verdicts.ts';
import { exchangeWith, type Headers } from './visitor.ts';

export interface LoadTarget {
  readonly path: string;
  readonly expectedStatus: number;
}

export interface LoadOptions {
  readonly port: number;
  /** Requested in turn. */
  readonly targets: readonly LoadTarget[];
  readonly headers: Headers;
  readonly perSecond: number;
}

const ANSWERED_WITHIN_MS = 120_000;

export class SteadyLoad {
  readonly #options: LoadOptions;
  readonly #requests: LoadRequest[] = [];
  readonly #underWay = new Set<Promise<void>>();
  readonly #enough = new AbortController();
  readonly #sending: Promise<void>;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#sending = this.#send();
  }

  get answered(): number {
    return this.#requests.length;
  }

  /** Sends no more requests, waits for the end of the last one, and returns all. */
  async end(): Promise<LoadRequest[]> {
    this.#enough.abort();
    await this.#sending;
    await Promise.all(this.#underWay);
    return this.#requests;
  }

  async #send(): Promise<void> {
    const { targets, perSecond } = this.#options;
    const startedAtMs = monotonicClock.now();
    for (let count = 0; !this.#enough.signal.aborted; count += 1) {
      const waitMs = startedAtMs + (count * 1000) / perSecond - monotonicClock.now();
      if (waitMs > 0) await sleep(waitMs);
      const target = targets[count % targets.length];
      if (target === undefined) return;
      const request = this.#ask(target);
      this.#underWay.add(request);
      void request.finally(() => this.#underWay.delete(request));
    }
  }

  async #ask({ path, expectedStatus }: LoadTarget): Promise<void> {
    const sentAtMs = monotonicClock.now();
    let status: number | null = null;
    let error: string | null = null;
    try {
      const { port, headers } = this.#options;
      const sending = { method: 'GET', path, headers, content: null, timeoutMs: ANSWERED_WITHIN_MS };
      status = (await exchangeWith(port, sending)).status;
    } catch (cause) {
      error = nameOf(cause);
    }
    const request = `GET ${path}`;
    this.#requests.push({ request, sentAtMs, endedAtMs: monotonicClock.now(), expectedStatus, status, error });
  }
}

function nameOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return isSystemError(cause, 'ECONNREFUSED') ? 'ECONNREFUSED' : cause.message;
}
