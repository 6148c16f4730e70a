/** Makes the packages once, and installs them as users do. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { makePackages } from '../../scripts/dist.ts';
import { PYTHON, temporaryFolder } from '../support/cowherd.ts';

let made: Promise<string> | null = null;

/** The folder of the packages. */
export async function packages(): Promise<string> {
  made ??= (async () => {
    const folder = path.join(temporaryFolder(), 'packages');
    await makePackages(folder);
    return folder;
  })();
  return await made;
}

/** The path of one of the packages. */
export async function packageFile(pattern: RegExp): Promise<string> {
  const folder = await packages();
  const name = readdirSync(folder).find((each) => pattern.test(each));
  if (name === undefined) throw new Error(`no package is named like ${String(pattern)}`);
  return path.join(folder, name);
}

/** A new virtual environment with these packages, of the interpreter of the tests. */
export function environment(...requirements: string[]): string {
  const folder = path.join(temporaryFolder(), 'environment');
  execFileSync(PYTHON, ['-m', 'venv', folder]);
  if (requirements.length > 0) pip(folder, 'install', ...requirements);
  return folder;
}

export function pip(folder: string, ...args: string[]): string {
  const [command = '', ...rest] = args;
  const words = ['-m', 'pip', command, '--quiet', '--disable-pip-version-check', ...rest];
  return execFileSync(path.join(folder, 'bin', 'python'), words, {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
  });
}

/** The files of a folder, without compiled Python. pip leaves empty folders of `share` behind, whoever's they were. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && !entry.name.endsWith('.pyc'))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}
