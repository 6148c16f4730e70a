/**
 * /proc/meminfo: the memory of the host.
 *
 * Source: Documentation/filesystems/proc.rst (section 1.5, meminfo). A container also sees the host's memory here; its
 * own limit is in its cgroup.
 */
import type { Bytes } from '../base/units.ts';
import { bytesOf, parseKilobyteLines } from './key-values.ts';
import { readKernelFile } from './read.ts';

export interface HostMemory {
  readonly total: Bytes;
  readonly free: Bytes;
  /** The kernel's estimate of the memory available without swapping: free memory and most of the page cache. */
  readonly available: Bytes;
  /** The page cache, including shared memory. */
  readonly cached: Bytes;
}

export function parseMeminfo(text: string): HostMemory | null {
  const values = parseKilobyteLines(text);
  if (!values.has('MemTotal')) return null;
  return {
    total: bytesOf(values, 'MemTotal'),
    free: bytesOf(values, 'MemFree'),
    available: bytesOf(values, 'MemAvailable'),
    cached: bytesOf(values, 'Cached'),
  };
}

export function readMeminfo(): HostMemory | null {
  const text = readKernelFile('/proc/meminfo');
  return text === null ? null : parseMeminfo(text);
}
