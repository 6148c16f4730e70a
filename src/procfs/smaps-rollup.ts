/**
 * /proc/PID/smaps_rollup: the sums of /proc/PID/smaps over all mappings of a process.
 *
 * Source: Documentation/filesystems/proc.rst (section 1.1, smaps and smaps_rollup), Documentation/ABI/testing/
 * procfs-smaps_rollup, fs/proc/task_mmu.c. The kernel walks every page table entry: about 4 ms for 100 MiB.
 */
import type { Bytes } from '../base/units.ts';
import { bytesOf, parseKilobyteLines } from './key-values.ts';
import { readKernelFile } from './read.ts';

export interface SmapsRollup {
  readonly rss: Bytes;
  /** Each page divided by the number of processes that map it. The sum over a herd is the herd's memory. */
  readonly pss: Bytes;
  /** Mapped by several processes. Dirty pages were written since they were read from a file, or belong to no file. */
  readonly sharedClean: Bytes;
  readonly sharedDirty: Bytes;
  /** Mapped only by this process. */
  readonly privateClean: Bytes;
  readonly privateDirty: Bytes;
  /** Resident pages without a file: the heap, the stacks, and written pages of private file mappings. */
  readonly anonymous: Bytes;
  /** Anonymous pages in swap, which are not resident. */
  readonly swap: Bytes;
}

/** Null for a text without sums, as of a kernel thread or a process that is about to end. */
export function parseSmapsRollup(text: string): SmapsRollup | null {
  const values = parseKilobyteLines(text);
  if (!values.has('Rss')) return null;
  return {
    rss: bytesOf(values, 'Rss'),
    pss: bytesOf(values, 'Pss'),
    sharedClean: bytesOf(values, 'Shared_Clean'),
    sharedDirty: bytesOf(values, 'Shared_Dirty'),
    privateClean: bytesOf(values, 'Private_Clean'),
    privateDirty: bytesOf(values, 'Private_Dirty'),
    anonymous: bytesOf(values, 'Anonymous'),
    swap: bytesOf(values, 'Swap'),
  };
}

/** Null if the process has ended. Throws EACCES for another user's process. */
export function readSmapsRollup(pid: number): SmapsRollup | null {
  const text = readKernelFile(`/proc/${pid}/smaps_rollup`);
  return text === null ? null : parseSmapsRollup(text);
}
