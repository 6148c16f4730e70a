/** The peak of the memory of all processes of a server while some work runs; see `pss-watch-process.ts`. */
import { MARK_OF_STARTED } from './processes.ts';
import { underWatch } from './watch.ts';

export interface PssWatched {
  /** The sum over all processes right before the work, and the largest sum meanwhile. */
  startBytes: number;
  mostBytes: number;
  looks: number;
}

/** Runs `work` and watches PSS. All processes that this benchmark has started count, so run one server only. */
export async function watchPss<Result>(work: () => Promise<Result>): Promise<{ result: Result; watched: PssWatched }> {
  const { result, watched } = await underWatch('pss-watch-process.ts', [MARK_OF_STARTED], work);
  return { result, watched: watched as PssWatched };
}
