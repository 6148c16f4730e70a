/** Makes a folder and its parents. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { isSystemError } from './errors.ts';

/**
 * Makes a folder, mode 0700, and its parents. It does not use `mkdirSync` with `recursive`: if an existing folder
 * answers ENOENT, as /proc does, Node 20 retries forever.
 *
 * @returns whether the folder was made, and not there already
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
