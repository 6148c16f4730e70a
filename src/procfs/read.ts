import { readFileSync } from 'node:fs';
import { isSystemError } from '../base/errors.ts';

/**
 * Reads a file of /proc or /sys as text. Null if there is no such file or its process has ended: ENOENT, or ESRCH if it
 * ended between opening and reading. Throws other errors, such as EACCES for another user's process or one that has
 * made itself not dumpable (proc(5)).
 */
export function readKernelFile(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ESRCH')) return null;
    throw error;
  }
}
