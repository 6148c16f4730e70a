import { monotonicClock } from '../base/clock.ts';

/** Calls back at the earliest of the requested times. One timer is enough: every decision that still waits asks again. */
export class Waker {
  readonly #onWoken: () => void;
  #next: { atMs: number; timer: NodeJS.Timeout } | null = null;

  constructor(onWoken: () => void) {
    this.#onWoken = onWoken;
  }

  /** @param atMs of the monotonic clock */
  wakeAt(atMs: number): void {
    if (this.#next !== null && this.#next.atMs <= atMs) return;
    this.stop();
    const timer = setTimeout(
      () => {
        this.#next = null;
        this.#onWoken();
      },
      Math.max(1, Math.ceil(atMs - monotonicClock.now())),
    );
    this.#next = { atMs, timer };
  }

  stop(): void {
    if (this.#next !== null) clearTimeout(this.#next.timer);
    this.#next = null;
  }
}
