/**
 * `make dist`: the packages, in `packages/`. The same sources make the same bytes.
 *
 * - `cowherd_server-*.whl` and `.tar.gz`: the whole server for the Python index (packaging/server).
 * - `cowherd_agent-*.whl` and `.tar.gz`: the heap policies alone (agent/pyproject.toml).
 * - `cowherd-*.tgz`: the whole server for npm.
 *
 * Argument: the folder to write to, instead of `packages/`.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { bundle } from './dist/bundle.ts';
import { stageAgent, stageNpm, stageServer } from './dist/stages.ts';
import { ROOT, run } from './dist/run.ts';
import { thirdPartyLicences } from './dist/licences.ts';
import { softwareBillOfMaterials } from './dist/sbom.ts';

export async function makePackages(into: string): Promise<string[]> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'cowherd-dist-'));
  try {
    rmSync(into, { recursive: true, force: true });
    mkdirSync(into, { recursive: true });
    const bundled = await bundle(path.join(scratch, 'dist'));
    const made = {
      dist: path.join(scratch, 'dist'),
      licences: thirdPartyLicences(bundled),
      sbom: softwareBillOfMaterials(bundled),
    };
    hatch(stageServer(path.join(scratch, 'server'), made), into);
    hatch(stageAgent(path.join(scratch, 'agent')), into);
    run(
      'npm',
      ['pack', '--silent', '--ignore-scripts', '--pack-destination', into],
      stageNpm(path.join(scratch, 'npm'), made),
    );
    return readdirSync(into).sort();
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function hatch(folder: string, into: string): void {
  run(
    path.join(ROOT, '.venv', 'bin', 'python'),
    ['-m', 'hatchling', 'build', '-d', into, '-t', 'sdist', '-t', 'wheel'],
    folder,
  );
}

if (process.argv[1] === import.meta.filename) {
  const into = path.resolve(process.argv[2] ?? path.join(ROOT, 'packages'));
  for (const name of await makePackages(into)) {
    console.log(`${name.padEnd(48)} ${(statSync(path.join(into, name)).size / 1024).toFixed(0).padStart(6)} KiB`);
  }
}
