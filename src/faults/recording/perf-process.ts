/** What all of our perf processes have in common. */
import type { ChildProcess } from 'node:child_process';
import { setPriority } from 'node:os';
import type { Readable } from 'node:stream';
import { isSystemError } from '../../base/errors.ts';

/** How many characters of perf's error output are kept. */
export const LONGEST_COMPLAINT = 16 * 1024;

/** Sets a child's priority. Without root it can only be lowered; a failure is ignored. */
export function setPriorityOf({ pid }: ChildProcess, priority: number): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, priority);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

/** Passes a stream's output on as text. */
export function keepTail(stream: Readable | null, keep: (text: string) => void): void {
  stream?.setEncoding('utf8').on('data', keep);
}

/** Ignores that the other end has closed; its exit status tells that. */
export function ignoreClosed(error: Error): void {
  if (!isSystemError(error)) throw error;
}

/** An environment without the user's settings and symbols from the network, and with messages in English to parse. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: 'C', PAGER: 'cat', PERF_CONFIG: '/dev/null', DEBUGINFOD_URLS: '' };
}
