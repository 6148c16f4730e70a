/** Other installations of Cowherd than this checkout: what a package has, in a folder of its own. */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PROTOCOL_VERSION } from '../../src/agent/messages.ts';
import { ROOT, temporaryFolder } from './cowherd.ts';

/** Of this version; gives the folder. */
export function installation(): string {
  const folder = path.join(temporaryFolder(), 'cowherd');
  mkdirSync(folder);
  for (const name of ['bin', 'dist', 'agent', 'package.json']) {
    cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true });
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  return folder;
}

/** One whose supervisor and keeper speak another version of the protocol than this one's. */
export function otherInstallation(): string {
  const folder = installation();
  for (const file of ['dist/agent/messages.js', 'agent/cowherd_agent/wire/messages.py']) {
    change(folder, file, `PROTOCOL_VERSION = ${PROTOCOL_VERSION}`, `PROTOCOL_VERSION = ${OTHER_PROTOCOL}`);
  }
  return folder;
}

export const OTHER_PROTOCOL = PROTOCOL_VERSION + 7;

/** Puts another text into one of its files, where the first one must be. */
export function change(folder: string, file: string, before: string, after: string): void {
  const where = path.join(folder, file);
  const text = readFileSync(where, 'utf8');
  if (!text.includes(before)) throw new Error(`${file} has no ${before}`);
  writeFileSync(where, text.replace(before, after));
}

export function commandOf(folder: string): string {
  return path.join(folder, 'bin', 'cowherd');
}
