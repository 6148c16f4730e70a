/** While the application is loaded its mold says nothing: a terminal is shown how long that takes, and how much memory. */
import { monotonicClock } from '../base/clock.ts';
import type { Bytes } from '../base/units.ts';
import type { ProgressView } from './progress.ts';

const VIEW_MS = 200;

export class LoadingView {
  #isLoading = false;
  readonly #timer: NodeJS.Timeout;

  /** @param moldNow the mold that loads, as it is now; null where nothing is known of it */
  constructor(progress: ProgressView, moldNow: () => { startedAtMs: number; rss: Bytes } | null) {
    this.#timer = setInterval(() => {
      const mold = this.#isLoading ? moldNow() : null;
      if (mold !== null) progress.showLoading((monotonicClock.now() - mold.startedAtMs) / 1000, mold.rss);
    }, VIEW_MS);
  }

  /** A mold's progress: the part in which it loads the application has begun, or ended. */
  hear({ phase, final }: { phase: string; final: boolean }): void {
    this.#isLoading = phase === 'load' && !final;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
