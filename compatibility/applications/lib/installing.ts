/** Virtual environments of the applications: made once, by uv, from the index that pip is configured for. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { discover } from '../../../src/cpython/discover.ts';
import type { Application } from './description.ts';
import { CACHE, environmentOf, logsOf } from './places.ts';
import { run } from './running.ts';

export interface Environment {
  readonly folder: string;
  readonly python: string;
  /** Such as 3.13.0. */
  readonly pythonVersion: string;
  readonly packages: string;
  /** Installed versions by distribution, its name normalized (PyPA, "Names and normalization"). */
  readonly versions: ReadonlyMap<string, string>;
}

/** Installs the environment of an application, unless it exists. */
export async function install(application: Application): Promise<Environment> {
  const folder = environmentOf(application.name);
  const stamp = path.join(folder, 'requirements.sha256');
  const wanted = createHash('sha256')
    .update(JSON.stringify([application.python, application.requirements]))
    .digest('hex');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
    rmSync(folder, { recursive: true, force: true });
    const base = await interpreterFor(application.python);
    const log = path.join(logsOf(application.name), 'install.log');
    const environment = indexOfPip();
    const uv = await uvProgram();
    const options = { cwd: CACHE, environment, log };
    await run(uv, ['venv', '--python', base, folder], options);
    await run(
      uv,
      ['pip', 'install', '--python', path.join(folder, 'bin', 'python'), ...application.requirements],
      options,
    );
    writeFileSync(stamp, wanted);
  }
  return describe(folder);
}

function describe(folder: string): Environment {
  const python = path.join(folder, 'bin', 'python');
  const told = execFileSync(python, ['-c', DESCRIPTION], { encoding: 'utf8' });
  const { pythonVersion, packages, versions } = JSON.parse(told) as {
    pythonVersion: string;
    packages: string;
    versions: Record<string, string>;
  };
  return { folder, python, pythonVersion, packages, versions: new Map(Object.entries(versions)) };
}

const DESCRIPTION = `
import importlib.metadata, json, platform, re, sysconfig
versions = {re.sub("[-_.]+", "-", each.metadata["Name"]).lower(): each.version for each in importlib.metadata.distributions()}
print(json.dumps({"pythonVersion": platform.python_version(), "packages": sysconfig.get_path("purelib"), "versions": versions}))
`;

async function interpreterFor(minor: string): Promise<string> {
  const found = (await discover(process.env)).find(
    ({ implementation, freeThreaded, version }) =>
      implementation === 'cpython' && !freeThreaded && version.slice(0, 2).join('.') === minor,
  );
  if (found === undefined) throw new Error(`CPython ${minor} is not on this machine`);
  return found.path;
}

/** The path of uv, installed from the same index into a separate environment. */
async function uvProgram(): Promise<string> {
  const folder = path.join(CACHE, 'tools');
  const program = path.join(folder, 'bin', 'uv');
  if (existsSync(program)) return program;
  const log = path.join(logsOf('tools'), 'install.log');
  const [newest] = await discover(process.env);
  if (newest === undefined) throw new Error('No Python is on this machine');
  await run(newest.path, ['-m', 'venv', '--clear', folder], { cwd: CACHE, log });
  await run(path.join(folder, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', 'uv'], { cwd: CACHE, log });
  return program;
}

/** pip's index as a variable for uv, which doesn't read pip's configuration. */
function indexOfPip(): Record<string, string> {
  try {
    const index = execFileSync('python3', ['-m', 'pip', 'config', 'get', 'global.index-url'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    return index === '' ? {} : { UV_DEFAULT_INDEX: index };
  } catch {
    return process.env['PIP_INDEX_URL'] === undefined ? {} : { UV_DEFAULT_INDEX: process.env['PIP_INDEX_URL'] };
  }
}
