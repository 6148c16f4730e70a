/**
 * /proc/PID/statm: sizes of a process in pages, from counters that the kernel keeps anyway (some 20 µs).
 *
 * Source: Documentation/filesystems/proc.rst, table 1-3. The counters are kept per CPU and summed inexactly: they may
 * be off by a few dozen pages per CPU.
 */
import { type Pages, pages } from '../base/units.ts';
import { readKernelFile } from './read.ts';

export interface Statm {
  readonly resident: Pages;
  /** Resident pages of files and of shared memory. Pages shared by copy-on-write are anonymous and don't count. */
  readonly residentOfFiles: Pages;
  readonly residentAnonymous: Pages;
}

export function parseStatm(text: string): Statm | null {
  const match = /^\d+ (\d+) (\d+) \d+ \d+ \d+ \d+\n?$/.exec(text);
  if (match === null) return null;
  const resident = Number(match[1]);
  const ofFiles = Number(match[2]);
  return {
    resident: pages(resident),
    residentOfFiles: pages(ofFiles),
    residentAnonymous: pages(Math.max(0, resident - ofFiles)),
  };
}

/** Null if the process has ended. */
export function readStatm(pid: number): Statm | null {
  const text = readKernelFile(`/proc/${pid}/statm`);
  return text === null ? null : parseStatm(text);
}
