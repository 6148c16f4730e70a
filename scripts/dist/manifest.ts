/** What a library says of itself in its package.json. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './run.ts';

export interface LibraryManifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

/** @param folder relative to the checkout */
export function manifestOf(folder: string): LibraryManifest {
  return JSON.parse(readFileSync(path.join(ROOT, folder, 'package.json'), 'utf8')) as LibraryManifest;
}
