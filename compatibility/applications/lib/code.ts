/** Identifies the code that a result was made with. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { APPLICATIONS, CHECKOUT, sourcesOf } from './places.ts';

/** A hash of Cowherd's code and of the code that tries this application. */
export function codeOf(name: string): string {
  const hash = createHash('sha256');
  for (const folder of [
    path.join(CHECKOUT, 'agent'),
    path.join(CHECKOUT, 'src'),
    path.join(APPLICATIONS, 'lib'),
    sourcesOf(name),
  ]) {
    for (const file of filesIn(folder)) hash.update(path.relative(CHECKOUT, file)).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 16);
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|py|html|json)$/.test(entry.name) && !entry.name.endsWith('.test.ts'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .toSorted();
}
