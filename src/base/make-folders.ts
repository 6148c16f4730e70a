/** Making a folder and those above it. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { isSystemError } from './errors.ts';

/**
 * Makes a folder, mode 0700, and those above it. Not `mkdirSync` with `recursive`: where a folder that is there answers
 * ENOENT, as /proc does, Node 20 tries again for ever.
 *
 * @returns whether it was made, and not there already
 */
export function makeFolders(directory: string): boolean {
  try {
    mkdirSync(directory, { mode: 0o700 });
    return true;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false;
    const parent = dirname(directory);
    if (!isSystemError(error, 'ENOENT') || existsSync(parent)) throw error;
    makeFolders(parent);
    mkdirSync(directory, { mode: 0o700 });
    return true;
  }
}
