/**
 * From the sums of the kernel to the words of Cowherd: how much of a worker's memory is shared, how much is private,
 * and how much of that is waste.
 */
import { type Bytes, bytes } from '../base/units.ts';
import type { SmapsRollup } from './smaps-rollup.ts';

export interface WorkerMemory {
  readonly rss: Bytes;
  /** The worker's share of all its pages; sums up over the herd. */
  readonly pss: Bytes;
  /** Resident pages that another process maps too. */
  readonly shared: Bytes;
  /** Resident pages of this process alone: unshared + fresh. */
  readonly private: Bytes;
  /** Shared with the mold at the fork, and copied since. The only waste. */
  readonly unshared: Bytes;
  /** Private and never shared: what the worker has allocated itself, and pages of files that only it maps. */
  readonly fresh: Bytes;
}

/**
 * What a worker shares with its mold at the fork and can lose by writing: the mold's anonymous memory, resident or
 * in swap, taken from the mold right before it forks (or from a mold that has not changed since).
 */
export function anonymousAtFork(mold: SmapsRollup): Bytes {
  return bytes(mold.anonymous + mold.swap);
}

/**
 * The memory of a worker, with its private part divided by origin.
 *
 * A worker's private anonymous pages are dirty (nothing has written them to a file), so what it still shares of the
 * mold's heap is its anonymous memory without its private dirty pages. What the mold had at the fork and the worker
 * shares no more has been unshared:
 *
 *     unshared = moldAnonymousAtFork − (anonymous − privateDirty + swap), between 0 and private
 *     fresh    = private − unshared
 *
 * Where this is not exact: memory that the worker gave back to the kernel (a large list freed) counts as unshared as
 * far as fresh pages take its place; pages which only this worker is left to map (its mold and its siblings gone)
 * count as unshared, since the kernel calls them private; private pages in swap count as still shared. Comparing the
 * pages themselves (forensics) is exact.
 *
 * For a process that is no fork of a mold pass 0: all that is private is fresh then.
 */
export function memoryOf(process: SmapsRollup, moldAnonymousAtFork: Bytes): WorkerMemory {
  const private_ = process.privateClean + process.privateDirty;
  const stillShared = process.anonymous - process.privateDirty + process.swap;
  const unshared = Math.min(Math.max(moldAnonymousAtFork - stillShared, 0), private_);
  return {
    rss: process.rss,
    pss: process.pss,
    shared: bytes(process.sharedClean + process.sharedDirty),
    private: bytes(private_),
    unshared: bytes(unshared),
    fresh: bytes(private_ - unshared),
  };
}
