/** Puts the TypeScript and its libraries into a few JavaScript files that need no node_modules. */
import path from 'node:path';
import { build } from 'esbuild';
import { ROOT } from './run.ts';

/** The oldest Node of package.json's `engines`. */
const TARGET = 'node20.19';

/** The command, and threads, which are started by their files. */
export const ENTRY_POINTS: Readonly<Record<string, string>> = {
  main: 'src/cli/main.ts',
  'look-thread': 'src/forensics/look/look-thread.ts',
  'census-thread': 'src/forensics/look/census-thread.ts',
};

/** What of node_modules is in the bundle: folders, relative to the checkout. */
export type Bundled = readonly string[];

/**
 * Bundles the command into `into`/cli, where bin/cowherd looks for it.
 *
 * A module that is imported on demand stays a file of its own, so that a command loads only what it needs.
 */
export async function bundle(into: string): Promise<Bundled> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ENTRY_POINTS,
    outdir: path.join(into, 'cli'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: TARGET,
    chunkNames: '[name]-[hash]',
    // Some libraries are CommonJS, and call require() for modules of Node.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  const folders = Object.keys(metafile.inputs).flatMap(
    (file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? [],
  );
  return [...new Set(folders)].sort();
}
