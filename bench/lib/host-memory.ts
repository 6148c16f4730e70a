/** The extra memory that the host needs while something goes on; see `host-memory-process.ts`. */
import { underWatch } from './watch.ts';

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
  const { result, watched } = await underWatch('host-memory-process.ts', [], work);
  return { result, watched: watched as HostMemoryWatched };
}
