/** Unix sockets that somebody listens on, from /proc/net/unix (proc(5)). */
import { readKernelFile } from './read.ts';

/** In the column `Flags`: listen(2) was called (include/linux/net.h, __SO_ACCEPTCON). */
const ACCEPTS_CONNECTIONS = 1 << 16;

/** Paths of the sockets of this network namespace that are listened on, as they were bound; null without /proc. */
export function readListeningPaths(): string[] | null {
  const text = readKernelFile('/proc/net/unix');
  return text === null ? null : listeningPaths(text);
}

/** Pure. A path may have spaces; `@` begins the name of one that has no file, which is left out. */
export function listeningPaths(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\S+: \S+ \S+ (\S+) \S+ \S+ +\d+ (\/.*)$/.exec(line);
    if (match === null || (Number.parseInt(match[1] ?? '', 16) & ACCEPTS_CONNECTIONS) === 0) return [];
    return match[2] ?? [];
  });
}
