/**
 * /proc/PID/maps: the mappings of a process, one line each.
 *
 * Source: Documentation/filesystems/proc.rst (section 1.1) and proc_pid_maps(5). Addresses of x86-64 and arm64 user
 * space have at most 52 bits, so they are exact as JavaScript numbers. The exception is [vsyscall] of x86-64, which is
 * not part of any process and is left out.
 */
import { readKernelFile } from './read.ts';

export interface Mapping {
  /** The first address; `end` is the one after the last. */
  readonly start: number;
  readonly end: number;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
  /** Written pages are copied (MAP_PRIVATE). */
  readonly private: boolean;
  /** The mapping's start in the file, in bytes. */
  readonly fileOffset: number;
  /** `0` without a file. */
  readonly inode: number;
  /** A path, a name in brackets such as `[heap]`, or empty for anonymous memory. Blanks and escapes as in the file. */
  readonly path: string;
}

const LINE = /^([0-9a-f]+)-([0-9a-f]+) (.)(.)(.)(.) ([0-9a-f]+) \S+ (\d+) *(.*)$/;

export function parseMaps(text: string): Mapping[] {
  return text.split('\n').flatMap((line) => {
    const match = LINE.exec(line);
    if (match === null || match[9] === '[vsyscall]') return [];
    const [, start = '', end = '', r, w, x, p, offset = '', inode, path = ''] = match;
    return [
      {
        start: Number.parseInt(start, 16),
        end: Number.parseInt(end, 16),
        readable: r === 'r',
        writable: w === 'w',
        executable: x === 'x',
        private: p === 'p',
        fileOffset: Number.parseInt(offset, 16),
        inode: Number(inode),
        path,
      },
    ];
  });
}

/** Null if there is no such process; empty for a kernel thread or a process that is about to end. Throws EACCES. */
export function readMaps(pid: number): Mapping[] | null {
  const text = readKernelFile(`/proc/${pid}/maps`);
  return text === null ? null : parseMaps(text);
}

/** The mapping that contains an address; `mappings` must be in the kernel's order. */
export function mappingAt(mappings: readonly Mapping[], address: number): Mapping | null {
  let low = 0;
  let high = mappings.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const mapping = mappings[middle];
    if (mapping === undefined) return null;
    if (address < mapping.start) high = middle - 1;
    else if (address >= mapping.end) low = middle + 1;
    else return mapping;
  }
  return null;
}
