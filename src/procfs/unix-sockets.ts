/** Listening Unix sockets, from /proc/net/unix (proc(5)). */
import { readKernelFile } from './read.ts';

/** A bit in the column `Flags`: listen(2) was called (include/linux/net.h, __SO_ACCEPTCON). */
const ACCEPTS_CONNECTIONS = 1 << 16;

/** Paths, as they were bound, of the listening sockets in this network namespace; null without /proc. */
export function readListeningPaths(): string[] | null {
  const text = readKernelFile('/proc/net/unix');
  return text === null ? null : listeningPaths(text);
}

/** Parses the table; pure. Paths may contain spaces. Skips sockets without a file, whose names begin with `@`. */
export function listeningPaths(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\S+: \S+ \S+ (\S+) \S+ \S+ +\d+ (\/.*)$/.exec(line);
    if (match === null || (Number.parseInt(match[1] ?? '', 16) & ACCEPTS_CONNECTIONS) === 0) return [];
    return match[2] ?? [];
  });
}
