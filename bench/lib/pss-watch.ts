/** The most memory that a server's processes have together while something goes on; see `pss-watch-process.ts`. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { CHECKOUT } from './places.ts';
import { MARK_OF_STARTED } from './processes.ts';

export interface PssWatched {
  /** Sum over all processes right before, and the largest meanwhile. */
  startBytes: number;
  mostBytes: number;
  looks: number;
}

/** Runs `work` under watch. All processes that this benchmark has started count, so there should be one server. */
export async function watchPss<Result>(work: () => Promise<Result>): Promise<{ result: Result; watched: PssWatched }> {
  const child = fork(path.join(import.meta.dirname, 'pss-watch-process.ts'), [MARK_OF_STARTED], {
    cwd: CHECKOUT,
    execArgv: ['--import', 'tsx'],
  });
  try {
    await once(child, 'message');
    const result = await work();
    const answer = once(child, 'message');
    child.send('enough');
    const [watched] = (await answer) as [PssWatched];
    return { result, watched };
  } finally {
    child.kill();
  }
}
