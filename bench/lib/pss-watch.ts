/** The most memory that a server's processes have together while something goes on; see `pss-watch-process.ts`. */
import { MARK_OF_STARTED } from './processes.ts';
import { underWatch } from './watch.ts';

export interface PssWatched {
  /** Sum over all processes right before, and the largest meanwhile. */
  startBytes: number;
  mostBytes: number;
  looks: number;
}

/** Runs `work` under watch. All processes that this benchmark has started count, so there should be one server. */
export async function watchPss<Result>(work: () => Promise<Result>): Promise<{ result: Result; watched: PssWatched }> {
  const { result, watched } = await underWatch('pss-watch-process.ts', [MARK_OF_STARTED], work);
  return { result, watched: watched as PssWatched };
}
