/** Files that a command writes for a person: never over another one without being told to, and never through a link. */
import { lstatSync, statSync } from 'node:fs';
import { CowherdError, isSystemError } from '../../base/errors.ts';
import { replaceFile, writeNewFile } from '../../base/safe-file.ts';

/** Open to its owner only: what runs on a machine is nobody else's business. */
const MODE = 0o600;

/**
 * To be called before long work is done, whose result would have nowhere to go.
 *
 * @throws CowherdError OUTPUT_EXISTS
 */
export function refuseToReplace(path: string | undefined, force: boolean | undefined): void {
  // Not what a link leads to: it is there also when it leads nowhere.
  if (path === undefined || lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
  if (force !== true) throw new CowherdError('OUTPUT_EXISTS', { detail: path });
  // A new file comes in the place of the old one; with /dev/stdout, a link, that would be in the place of the link.
  const there = statSync(path, { throwIfNoEntry: false });
  if (there === undefined || there.isFile()) return;
  throw new CowherdError('OUTPUT_EXISTS', {
    detail: `${path} is not a regular file`,
    advice: 'Choose another name; --force replaces regular files only.',
  });
}

/** @throws CowherdError OUTPUT_EXISTS, when somebody else was faster; OUTPUT_FAILED */
export function writeOutput(path: string, text: string | Uint8Array, force: boolean | undefined): void {
  try {
    if (force === true) replaceFile(path, text, MODE);
    else writeNewFile(path, text, MODE);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === 'EEXIST') throw new CowherdError('OUTPUT_EXISTS', { detail: path, cause: error });
    throw new CowherdError('OUTPUT_FAILED', { detail: `${path} (${error.code ?? ''})`, cause: error });
  }
}
