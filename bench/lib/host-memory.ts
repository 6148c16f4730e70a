/** The extra memory that the host needs while something goes on; see `host-memory-process.ts`. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { CHECKOUT } from './places.ts';

export interface HostMemoryWatched {
  /** MemAvailable right before. */
  startBytes: number;
  leastBytes: number;
  samples: number;
}

/** Runs `work` under watch. Other work on the machine counts in too: it can't be told apart. */
export async function watchHostMemory<Result>(
  work: () => Promise<Result>,
): Promise<{ result: Result; watched: HostMemoryWatched }> {
  const child = fork(path.join(import.meta.dirname, 'host-memory-process.ts'), [], {
    cwd: CHECKOUT,
    execArgv: ['--import', 'tsx'],
  });
  try {
    await once(child, 'message');
    const result = await work();
    const answer = once(child, 'message');
    child.send('enough');
    const [watched] = (await answer) as [HostMemoryWatched];
    return { result, watched };
  } finally {
    child.kill();
  }
}
