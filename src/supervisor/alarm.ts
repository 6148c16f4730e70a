/** One timer for all times that decisions wait for: every decision that still waits asks again. */
import { monotonicClock } from '../base/clock.ts';

export class Alarm {
  readonly #ring: () => void;
  #set: { readonly atMs: number; readonly timer: NodeJS.Timeout } | null = null;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** Rings at this time of the monotonic clock, unless it rings earlier. */
  at(atMs: number): void {
    if (this.#set !== null && this.#set.atMs <= atMs) return;
    this.stop();
    const timer = setTimeout(
      () => {
        this.#set = null;
        this.#ring();
      },
      Math.max(1, Math.ceil(atMs - monotonicClock.now())),
    );
    this.#set = { atMs, timer };
  }

  stop(): void {
    if (this.#set !== null) clearTimeout(this.#set.timer);
    this.#set = null;
  }
}
