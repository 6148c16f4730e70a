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
  /** Each page divided by the number of processes that map it; the sum over a herd is what the herd takes. */
  readonly pss: Bytes;
  /** Mapped by more than one process. Dirty: written to since it was read from a file, or in no file at all. */
  readonly sharedClean: Bytes;
  readonly sharedDirty: Bytes;
  /** Mapped by this process alone. */
  readonly privateClean: Bytes;
  readonly privateDirty: Bytes;
  /** Resident pages of no file: the heap and the stacks; also pages of a private file mapping that were written to. */
  readonly anonymous: Bytes;
  /** Anonymous pages that are in swap; these are not resident. */
  readonly swap: Bytes;
}

/** Null for a text that has no sums: a kernel thread, or a process that is about to end. */
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

/** Null if there is no such process any more. Throws EACCES for one of another user. */
export function readSmapsRollup(pid: number): SmapsRollup | null {
  const text = readKernelFile(`/proc/${pid}/smaps_rollup`);
  return text === null ? null : parseSmapsRollup(text);
}
