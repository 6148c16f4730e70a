/**
 * Check that imports between the folders of src/ point one way:
 *
 *   base ← procfs, cpython, agent ← supervisor, forensics, faults ← cli
 *
 * A folder may import from folders of the layers below it, and from itself; not from a neighbour in its own layer.
 * Known debt goes to the end of this file, each line with its reason.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const layers: readonly (readonly string[])[] = [
  ['base'],
  ['procfs', 'cpython', 'agent'],
  ['supervisor', 'forensics', 'faults'],
  ['cli'],
];

export interface SourceFile {
  /** Relative to src/, with forward slashes. */
  readonly file: string;
  readonly text: string;
}

/** The relative module specifiers in a TypeScript source: `from '…'`, `import '…'`, `import('…')`. */
export function relativeImports(text: string): string[] {
  const pattern = /\b(?:from|import)\s*\(?\s*(['"])(\.{1,2}\/[^'"]+)\1/g;
  return [...text.matchAll(pattern)].flatMap((match) => match[2] ?? []);
}

/** One line for each import that points the wrong way, or to or from a folder that no layer holds. */
export function violations(files: readonly SourceFile[], allowed: readonly string[] = debt): string[] {
  const layerOf = (folder: string): number => layers.findIndex((layer) => layer.includes(folder));
  const found: string[] = [];
  for (const { file, text } of files) {
    const folder = file.split('/')[0] ?? '';
    if (layerOf(folder) < 0) {
      found.push(`src/${file}: the folder "${folder}" is in no layer of scripts/check-imports.ts`);
      continue;
    }
    for (const specifier of relativeImports(text)) {
      const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier));
      const targetFolder = target.split('/')[0] ?? '';
      const edge = `${file} -> ${target}`;
      if (allowed.includes(edge) || targetFolder === folder) continue;
      if (targetFolder === '..' || layerOf(targetFolder) < 0)
        found.push(`src/${file} imports ${target}, outside of src`);
      else if (layerOf(targetFolder) >= layerOf(folder)) {
        found.push(`src/${edge}: "${folder}" may not import from "${targetFolder}"`);
      }
    }
  }
  return found;
}

/** Known debt: `importing file -> imported file`, relative to src/. */
const debt: readonly string[] = [];

if (process.argv[1] === import.meta.filename) {
  const source = path.resolve(import.meta.dirname, '../src');
  const files = readdirSync(source, { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ file, text: readFileSync(path.join(source, file), 'utf8') }));
  const found = violations(files);
  for (const violation of found) console.error(violation);
  if (found.length > 0) process.exitCode = 1;
}
