/**
 * Shows on a terminal how long the application has been loading and how much memory it takes; its mold is silent
 * meanwhile.
 */
import { monotonicClock } from '../base/clock.ts';
import type { Bytes } from '../base/units.ts';
import type { ProgressView } from './progress.ts';

const VIEW_MS = 200;

export class LoadingView {
  #isLoading = false;
  readonly #timer: NodeJS.Timeout;

  /** @param moldNow the loading mold, as it is now; null if nothing is known of it */
  constructor(progress: ProgressView, moldNow: () => { startedAtMs: number; rss: Bytes } | null) {
    this.#timer = setInterval(() => {
      const mold = this.#isLoading ? moldNow() : null;
      if (mold !== null) progress.showLoading((monotonicClock.now() - mold.startedAtMs) / 1000, mold.rss);
    }, VIEW_MS);
  }

  /** Takes a mold's progress message: it begins or ends the phase that loads the application. */
  hear({ phase, final }: { phase: string; final: boolean }): void {
    this.#isLoading = phase === 'load' && !final;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
