/** Puts the contents of each package into a folder, from which its tool packs it. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeManual } from './manual.ts';
import { ROOT } from './run.ts';

export interface Made {
  /** The folder of the bundle. */
  readonly dist: string;
  readonly licences: string;
  readonly sbom: string;
}

interface Manifest {
  readonly version: string;
  readonly dependencies: unknown;
  readonly devDependencies: unknown;
  readonly scripts: unknown;
  readonly [name: string]: unknown;
}

const MANIFEST = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as Manifest;
const VERSION_LINE = /^__version__ = .*$/m;

/** @returns the folder, for hatchling */
export function stageServer(folder: string, made: Made): string {
  const package_ = path.join(folder, 'cowherd_server');
  cpSync(path.join(ROOT, 'packaging', 'server'), folder, { recursive: true, filter: isSource });
  const init = path.join(package_, '__init__.py');
  writeFileSync(init, readFileSync(init, 'utf8').replace(VERSION_LINE, `__version__ = '${MANIFEST.version}'`));
  putInstallation(package_, made);
  put(folder, ['README.md', 'LICENSE']);
  writeFileSync(path.join(folder, 'THIRD-PARTY-LICENSES.txt'), made.licences);
  writeFileSync(path.join(folder, 'sbom.cdx.json'), made.sbom);
  writeManual(path.join(folder, 'share'), MANIFEST.version);
  return folder;
}

/** @returns the folder, for hatchling */
export function stageAgent(folder: string): string {
  cpSync(path.join(ROOT, 'agent'), folder, { recursive: true, filter: isSource });
  put(folder, ['LICENSE']);
  return folder;
}

/** @returns the folder, for npm */
export function stageNpm(folder: string, made: Made): string {
  putInstallation(folder, made);
  put(folder, ['README.md', 'LICENSE']);
  writeFileSync(path.join(folder, 'THIRD-PARTY-LICENSES.txt'), made.licences);
  writeFileSync(path.join(folder, 'sbom.cdx.json'), made.sbom);
  writeManual(path.join(folder, 'share'), MANIFEST.version);
  // npm links these when it installs globally (npm's package.json(5), "man").
  const pages = readdirSync(path.join(folder, 'share', 'man', 'man1')).map((name) => `./share/man/man1/${name}`);
  const file = path.join(folder, 'package.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  writeFileSync(file, `${JSON.stringify({ ...manifest, man: pages }, null, 2)}\n`);
  return folder;
}

/** What an installation has: src/base/installation.ts finds it there. */
function putInstallation(folder: string, { dist }: Made): void {
  mkdirSync(folder, { recursive: true });
  const { dependencies: _, devDependencies: __, scripts: ___, ...manifest } = MANIFEST;
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  put(folder, ['bin', 'agent/launch.py', 'agent/cowherd_agent', 'examples/feed']);
  cpSync(dist, path.join(folder, 'dist'), { recursive: true });
}

function put(folder: string, names: readonly string[]): void {
  for (const name of names)
    cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true, filter: isSource });
}

/** Leaves out what Python, its tools and Django leave behind, and the tests. */
function isSource(file: string): boolean {
  return !/(?:^|\/)(?:__pycache__|tests|\.[^/]*)$|\.(?:pyc|sqlite3)$/.test(path.relative(ROOT, file));
}
