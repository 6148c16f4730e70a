/** The extra memory that the host needs while some work runs; see `host-memory-process.ts`. */
import { underWatch } from './watch.ts';

export interface HostMemoryWatched {
  /** MemAvailable right before the work. */
  startBytes: number;
  leastBytes: number;
  samples: number;
}

/** Runs `work` and watches the host's memory. Other work on the machine counts too: it can't be told apart. */
export async function watchHostMemory<Result>(
  work: () => Promise<Result>,
): Promise<{ result: Result; watched: HostMemoryWatched }> {
  const { result, watched } = await underWatch('host-memory-process.ts', [], work);
  return { result, watched: watched as HostMemoryWatched };
}
