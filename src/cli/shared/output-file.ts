/** Writes a command's output files. Replaces an existing file only if told to, and never writes through a link. */
import { lstatSync, statSync } from 'node:fs';
import { CowherdError, isSystemError } from '../../base/errors.ts';
import { replaceFile, writeNewFile } from '../../base/safe-file.ts';

/** Accessible only to the owner, since the contents tell what runs on the machine. */
const MODE = 0o600;

/**
 * Call it before long work whose result could then not be written.
 *
 * @throws CowherdError OUTPUT_EXISTS
 */
export function refuseToReplace(path: string | undefined, force: boolean | undefined): void {
  // lstat, since a dangling link exists too.
  if (path === undefined || lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
  if (force !== true) throw new CowherdError('OUTPUT_EXISTS', { detail: path });
  // A new file replaces the old one. In the case of /dev/stdout it would replace the link.
  const there = statSync(path, { throwIfNoEntry: false });
  if (there === undefined || there.isFile()) return;
  throw new CowherdError('OUTPUT_EXISTS', {
    detail: `${path} is no regular file`,
    advice: 'Choose another name; --force replaces files only.',
  });
}

/** @throws CowherdError OUTPUT_EXISTS if the file was created meanwhile; OUTPUT_FAILED */
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
