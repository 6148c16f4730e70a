/** What all of our processes of perf have in common. */
import type { ChildProcess } from 'node:child_process';
import { setPriority } from 'node:os';
import type { Readable } from 'node:stream';
import { isSystemError } from '../../base/errors.ts';

/** How much of what perf complains is kept. */
export const LONGEST_COMPLAINT = 16 * 1024;

/** Lower it anybody may, raise it only root; where it can't be, it stays. */
export function setPriorityOf({ pid }: ChildProcess, priority: number): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, priority);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

/** Hands on what a stream says, as text. */
export function keepTail(stream: Readable | null, keep: (text: string) => void): void {
  stream?.setEncoding('utf8').on('data', keep);
}

/** The other end has gone: that is told by its exit status. */
export function ignoreClosed(error: Error): void {
  if (!isSystemError(error)) throw error;
}

/** No settings of the user's own, no symbols from the network, and messages in the language that they are looked for in. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: 'C', PAGER: 'cat', PERF_CONFIG: '/dev/null', DEBUGINFOD_URLS: '' };
}
