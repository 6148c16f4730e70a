/**
 * Converts the kernel's sums to Cowherd's terms: how much of a worker's memory is shared, how much is private, and how
 * much of the private memory is waste.
 */
import { type Bytes, bytes } from '../base/units.ts';
import type { SmapsRollup } from './smaps-rollup.ts';

export interface WorkerMemory {
  readonly rss: Bytes;
  /** The worker's share of all its pages; can be added up over the herd. */
  readonly pss: Bytes;
  /** Resident pages that another process maps too. */
  readonly shared: Bytes;
  /** Resident pages that only this process maps: unshared + fresh. */
  readonly private: Bytes;
  /** Shared with the mold at the fork and copied since. Only this memory is waste. */
  readonly unshared: Bytes;
  /** Private and never shared: memory that the worker has allocated itself, and pages of files that only it maps. */
  readonly fresh: Bytes;
}

/**
 * The memory that a worker shares with its mold at the fork and can lose by writing: the mold's anonymous memory,
 * resident or in swap. Measured in the mold right before the fork, or later in a mold that has not changed since.
 */
export function anonymousAtFork(mold: SmapsRollup): Bytes {
  return bytes(mold.anonymous + mold.swap);
}

/**
 * The memory of a worker, with its private part divided by origin.
 *
 * A worker's private anonymous pages are dirty (nothing has written them to a file). So the part of the mold's heap
 * that it still shares is its anonymous memory minus its private dirty pages. The rest of what the mold had at the fork
 * has been unshared:
 *
 *     unshared = moldAnonymousAtFork − (anonymous − privateDirty + swap), between 0 and private
 *     fresh    = private − unshared
 *
 * This is not exact in three cases. Memory that the worker returned to the kernel (such as a large list) counts as
 * unshared as far as fresh pages take its place. Pages that only this worker still maps, because its mold and siblings
 * are gone, count as unshared, since the kernel calls them private. Private pages in swap count as still shared.
 * Comparing the pages themselves (forensics) is exact.
 *
 * Pass 0 for a process that is not a fork of a mold; then all its private memory is fresh.
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
