/** Installations of Cowherd besides this checkout: the contents of a package, in a new folder. */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PROTOCOL_VERSION } from '../../src/agent/messages.ts';
import { ROOT, temporaryFolder } from './cowherd.ts';

/** Makes an installation of this version, and returns its folder. */
export function installation(): string {
  const folder = path.join(temporaryFolder(), 'cowherd');
  mkdirSync(folder);
  for (const name of ['bin', 'dist', 'agent', 'package.json']) {
    cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true });
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  return folder;
}

/** Makes an installation whose supervisor and keeper speak another version of the protocol. */
export function otherInstallation(): string {
  const folder = installation();
  for (const file of ['dist/agent/messages.js', 'agent/cowherd_agent/wire/messages.py']) {
    change(folder, file, `PROTOCOL_VERSION = ${PROTOCOL_VERSION}`, `PROTOCOL_VERSION = ${OTHER_PROTOCOL}`);
  }
  return folder;
}

export const OTHER_PROTOCOL = PROTOCOL_VERSION + 7;

/** Replaces a text in one of its files. Throws if the file doesn't have it. */
export function change(folder: string, file: string, before: string, after: string): void {
  const where = path.join(folder, file);
  const text = readFileSync(where, 'utf8');
  if (!text.includes(before)) throw new Error(`${file} has no ${before}`);
  writeFileSync(where, text.replace(before, after));
}

export function commandOf(folder: string): string {
  return path.join(folder, 'bin', 'cowherd');
}
