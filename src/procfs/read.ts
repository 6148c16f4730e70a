import { readFileSync } from 'node:fs';
import { isSystemError } from '../base/errors.ts';

/**
 * A file of /proc or /sys as text; null where there is none, or its process is gone: ENOENT, or ESRCH where the
 * process ended between the opening and the reading. Other errors are thrown, EACCES among them: a process of another
 * user, or one that has made itself not dumpable (proc(5)).
 */
export function readKernelFile(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ESRCH')) return null;
    throw error;
  }
}
