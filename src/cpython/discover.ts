/**
 * Chooses the Python to serve with: the one named, else that of the virtual environment that Cowherd is installed into,
 * else the active or the project's virtual environment's, else the newest one found.
 */
import { accessSync, constants, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { CowherdError } from '../base/errors.ts';
import { INSTALLATION } from '../base/installation.ts';
import { compareVersions, type Interpreter, OLDEST_PYTHON, probe } from './interpreter.ts';

export interface DiscoveryOptions {
  /** `--python`: a path, or a name to look for on PATH. */
  readonly python?: string | null | undefined;
  /** The application's directory (`--chdir`), relative to `cwd`. */
  readonly projectFolder?: string | null | undefined;
  readonly cwd: string;
  /** The folder of the installation of Cowherd; by default this one's. */
  readonly installation?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Choice {
  readonly path: string;
  /** For a log line: "from --python", "from $VIRTUAL_ENV", "from .venv in /srv/app", "the newest found: 3.13.0". */
  readonly why: string;
}

/**
 * The interpreter to serve with.
 *
 * For `--python` and virtual environments it only looks at files. To find the newest interpreter, it runs all
 * interpreters of the machine at once.
 *
 * @throws CowherdError PYTHON_NOT_FOUND for `--python` and for a broken virtual environment; NO_PYTHON or
 * PYTHON_TOO_OLD if no interpreter is new enough
 */
export async function findInterpreter(options: DiscoveryOptions): Promise<Choice> {
  const named = options.python;
  if (named !== null && named !== undefined && named !== '')
    return { path: locateNamed(named, options), why: 'from --python' };
  return (
    findOwn('environment', options) ??
    findInEnvironment(options) ??
    findOwn('system', options) ??
    (await findNewest(options))
  );
}

function locateNamed(named: string, { cwd, env }: DiscoveryOptions): string {
  const found = named.includes('/')
    ? [path.resolve(cwd, named)]
    : searchPath(env).map((folder) => path.join(folder, named));
  const executable = found.find(isExecutable);
  if (executable !== undefined) return executable;
  throw new CowherdError('PYTHON_NOT_FOUND', {
    detail: named.includes('/') ? (found[0] ?? named) : `${named} is not on PATH`,
  });
}

/** `PREFIX/lib/python3.13/site-packages/cowherd_server`; dist-packages on Debian. */
const PYTHON_PACKAGE = /^(?<prefix>.*)\/lib\d*\/(?<name>python3[^/]*)\/(?:site|dist)-packages\/[^/]+$/;

/**
 * The interpreter that Cowherd was installed for by pip, as gunicorn would use it. That of a tool installer has no
 * application.
 *
 * @param kind whether a virtual environment or an interpreter of the system is wanted
 */
function findOwn(kind: 'environment' | 'system', { installation = INSTALLATION }: DiscoveryOptions): Choice | null {
  const { prefix, name } = PYTHON_PACKAGE.exec(installation)?.groups ?? {};
  if (prefix === undefined || name === undefined || isToolEnvironment(prefix)) return null;
  const isVirtual = isThere(path.join(prefix, 'pyvenv.cfg'));
  if (isVirtual !== (kind === 'environment')) return null;
  const python = path.join(prefix, 'bin', isVirtual ? 'python' : name);
  return isExecutable(python) ? { path: python, why: 'the one that Cowherd is installed for' } : null;
}

/** Made by pipx or `uv tool`, which leave a file in it, or by `pipx run` and `uvx` in their caches. */
function isToolEnvironment(prefix: string): boolean {
  return (
    ['pipx_metadata.json', 'uv-receipt.toml'].some((name) => isThere(path.join(prefix, name))) ||
    /\/(?:uv\/(?:archive|environments|builds)-v\d+|pipx)\//.test(`${prefix}/`)
  );
}

function findInEnvironment({ projectFolder, cwd, env }: DiscoveryOptions): Choice | null {
  const active = env['VIRTUAL_ENV'];
  if (active) {
    const python = path.join(active, 'bin', 'python');
    if (isExecutable(python)) return { path: python, why: 'from $VIRTUAL_ENV' };
    throw brokenEnvironment(active, '$VIRTUAL_ENV names it', 'unset VIRTUAL_ENV');
  }
  const project = path.resolve(cwd, projectFolder ?? '.');
  // In the project's directory, in the current one, and beside the project's, as `django-admin startproject` has it.
  for (const folder of new Set([project, path.resolve(cwd), path.dirname(project)])) {
    const environment = path.join(folder, '.venv');
    const python = path.join(environment, 'bin', 'python');
    if (!isEnvironment(environment) || !isTrusted(environment)) continue;
    if (isExecutable(python)) return { path: python, why: `from .venv in ${folder}` };
    throw brokenEnvironment(environment, "it is the project's", 'remove it');
  }
  return null;
}

/** An error instead of a fallback: any other Python would lack the packages that the project needs. */
function brokenEnvironment(environment: string, why: string, otherwise: string): CowherdError {
  const python = path.join(environment, 'bin', 'python');
  return new CowherdError('PYTHON_NOT_FOUND', {
    detail: `${python} of the virtual environment ${environment}, which was chosen because ${why}`,
    advice: `Recreate the environment (python3 -m venv --clear ${environment}), ${otherwise}, or name an interpreter with --python.`,
  });
}

/** Made by venv or virtualenv, or by hand with an interpreter in it, even if that is a dangling link. */
function isEnvironment(folder: string): boolean {
  return [path.join(folder, 'pyvenv.cfg'), path.join(folder, 'bin', 'python')].some(isThere);
}

function isThere(file: string): boolean {
  try {
    lstatSync(file);
    return true;
  } catch {
    return false;
  }
}

/** Whether it belongs to root or this user, since anybody can put a .venv into a world-writable directory. */
function isTrusted(folder: string): boolean {
  return [0, process.getuid?.()].includes(statSync(folder).uid);
}

async function findNewest(options: DiscoveryOptions): Promise<Choice> {
  const found = await discover(options.env);
  const newest = found.find((interpreter) => compareVersions(interpreter.version, OLDEST_PYTHON) >= 0);
  if (newest !== undefined) return { path: newest.path, why: `the newest found: ${newest.version.join('.')}` };
  const [best] = found;
  if (best === undefined) throw new CowherdError('NO_PYTHON', { detail: 'neither on PATH nor in the usual places' });
  throw new CowherdError('PYTHON_TOO_OLD', { detail: `the newest found is ${best.path}, ${best.version.join('.')}` });
}

/** Every working Python 3 of the machine, one for each installation, the best one to serve with first. */
export async function discover(env: DiscoveryOptions['env']): Promise<Interpreter[]> {
  const probed = await Promise.all(candidates(env).map(probe));
  const byPrefix = new Map<string, Interpreter>();
  for (const interpreter of probed) {
    if (interpreter !== null && !byPrefix.has(interpreter.prefix)) byPrefix.set(interpreter.prefix, interpreter);
  }
  return [...byPrefix.values()].sort(byPreference);
}

/** CPython before others, GIL builds before free-threaded ones, releases before pre-releases, then the newest first. */
export function byPreference(left: Interpreter, right: Interpreter): number {
  const rank = (interpreter: Interpreter): number =>
    (interpreter.implementation === 'cpython' ? 4 : 0) +
    (interpreter.freeThreaded ? 0 : 2) +
    (interpreter.final ? 1 : 0);
  return rank(right) - rank(left) || compareVersions(right.version, left.version);
}

/** Paths that look like interpreters, in the order of PATH, then in the usual places. */
function candidates(env: DiscoveryOptions['env']): string[] {
  const home = env['HOME'] ?? homedir();
  const pyenvVersions = path.join(env['PYENV_ROOT'] ?? path.join(home, '.pyenv'), 'versions');
  const folders = [
    // A shim chooses its interpreter by the current directory. The real interpreters are listed below.
    ...searchPath(env).filter((folder) => !folder.endsWith('/shims')),
    '/usr/local/bin',
    '/usr/bin',
    ...list(pyenvVersions).map((version) => path.join(pyenvVersions, version, 'bin')),
  ];
  return [...new Set(folders)].flatMap((folder) => {
    const programs = new Map<string, string>();
    for (const name of list(folder)
      .filter((candidate) => /^python3(\.\d+t?)?$/.test(candidate))
      .sort()) {
      const program = path.join(folder, name);
      // In one directory `python3` and `python3.12` are mostly the same program. Links in two directories may lead
      // to one file and still differ, since a virtual environment is determined by its path.
      if (!isExecutable(program)) continue;
      const target = realpathSync(program);
      if (!programs.has(target)) programs.set(target, program);
    }
    return Array.from(programs.values());
  });
}

function searchPath(env: DiscoveryOptions['env']): string[] {
  return (env['PATH'] ?? '').split(':').filter((folder) => path.isAbsolute(folder));
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
