/** A crash loop, as opposed to a crash: workers die one after the other, and none stays up. */
import { formatDuration, milliseconds } from '../../../base/units.ts';
import { log, own, type Draft } from '../../herd/draft.ts';
import type { CrashLoopPart } from '../../herd/state.ts';

/** Deaths in a row that make a loop; the first worker may have been up for long. */
const DEATHS_OF_A_LOOP = 3;

/** A worker has died; `how` completes a sentence about it. */
export function died(draft: Draft, how: string): void {
  const { state, nowMs } = draft;
  const part = own<CrashLoopPart>(draft);
  if (part.crashLoop !== null) {
    part.crashLoop.deaths += 1;
    part.crashLoop.lastError = how;
    return;
  }
  if (state.deathsInARow < DEATHS_OF_A_LOOP) return;
  part.crashLoop = { startedAtMs: nowMs, deaths: state.deathsInARow, lastError: how };
  log(
    draft,
    'error',
    `Crash loop: ${state.deathsInARow} workers in a row died soon after their start; the last one ${how}`,
  );
}

/** Ends the crash loop once workers stay up again, or other workers have replaced them. */
export function endWhenOver(draft: Draft): void {
  const { state, nowMs } = draft;
  const { crashLoop } = state;
  if (crashLoop === null || state.deathsInARow > 0) return;
  own<CrashLoopPart>(draft).crashLoop = null;
  const took = formatDuration(milliseconds(nowMs - crashLoop.startedAtMs));
  log(
    draft,
    'info',
    `The crash loop is over after ${took} and ${crashLoop.deaths} deaths; the last one ${crashLoop.lastError}`,
  );
}
