/** Files that a command writes for a person: never over another one without being told to. */
import { existsSync, writeFileSync } from 'node:fs';
import { CowherdError, isSystemError } from '../base/errors.ts';

/**
 * To be called before long work is done, whose result would have nowhere to go.
 *
 * @throws CowherdError OUTPUT_EXISTS
 */
export function refuseToReplace(path: string | undefined, force: boolean | undefined): void {
  if (path !== undefined && force !== true && existsSync(path)) {
    throw new CowherdError('OUTPUT_EXISTS', { detail: path });
  }
}

/**
 * Open to its owner only: what runs on a machine is nobody else's business.
 *
 * @throws CowherdError OUTPUT_FAILED
 */
export function writeOutput(path: string, text: string | Uint8Array): void {
  try {
    writeFileSync(path, text, { mode: 0o600 });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new CowherdError('OUTPUT_FAILED', { detail: `${path} (${error.code ?? ''})`, cause: error });
  }
}
