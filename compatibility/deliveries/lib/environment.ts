/** The environment of the applications and sinks: made once, by pip, with the interpreter of `.venv`. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PYTHON } from '../../../bench/lib/places.ts';
import { CACHE, ENVIRONMENT, program, REQUIREMENTS } from './places.ts';

/** Installed versions by distribution, in lower case, and the version of `python`. */
export type Versions = Readonly<Record<string, string>>;

const DESCRIPTION = `
import importlib.metadata, json, platform
versions = {each.metadata["Name"].lower(): each.version for each in importlib.metadata.distributions()}
print(json.dumps({**versions, "python": platform.python_version()}))
`;

/** Makes the environment, unless it exists. Delete it to get newer releases. */
export function install(): Versions {
  const base = execFileSync(PYTHON, ['-c', 'import sys; print(sys._base_executable)'], { encoding: 'utf8' }).trim();
  const stamp = path.join(ENVIRONMENT, 'requirements.sha256');
  const wanted = createHash('sha256').update(base).update(readFileSync(REQUIREMENTS)).digest('hex');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
    mkdirSync(CACHE, { recursive: true });
    rmSync(ENVIRONMENT, { recursive: true, force: true });
    execFileSync(base, ['-m', 'venv', ENVIRONMENT], { stdio: 'inherit' });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', REQUIREMENTS];
    execFileSync(program('python'), pip, { stdio: 'inherit' });
    writeFileSync(stamp, wanted);
  }
  return JSON.parse(execFileSync(program('python'), ['-c', DESCRIPTION], { encoding: 'utf8' })) as Versions;
}
