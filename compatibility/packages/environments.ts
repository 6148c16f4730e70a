/**
 * Virtual environments for each package and interpreter, made by uv. They are kept: their files are hard links to uv's
 * cache, and later runs need not compile them again.
 */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { PYTHON } from '../../bench/lib/places.ts';
import type { Interpreter } from './interpreters.ts';
import type { Package } from './list.ts';
import { uvSettings } from './pip-settings.ts';
import { CACHE } from './places.ts';

const run = promisify(execFile);
const TOOLS = path.join(CACHE, 'tools');
const UV = path.join(TOOLS, 'bin', 'uv');
const INSTALLED_WITHIN_MS = 1_200_000;

/** Makes environments with uv, which takes a tenth of a second if all downloads are in its cache (hard links). */
export class Environments {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #args: readonly string[];

  constructor() {
    if (!existsSync(UV)) {
      mkdirSync(CACHE, { recursive: true });
      execFileSync(PYTHON, ['-m', 'venv', '--clear', TOOLS]);
      execFileSync(path.join(TOOLS, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', 'uv'], { stdio: 'inherit' });
    }
    const { environment, args } = uvSettings(
      execFileSync(PYTHON, ['-m', 'pip', 'config', 'list'], { encoding: 'utf8' }),
    );
    this.#args = args;
    this.#environment = {
      ...process.env,
      ...environment,
      UV_CACHE_DIR: path.join(CACHE, 'uv'),
      UV_PYTHON_DOWNLOADS: 'never',
      UV_NO_CONFIG: '1',
    };
    delete this.#environment['VIRTUAL_ENV'];
  }

  /** The folder of an environment with the newest releases of the package and gunicorn. Throws uv's error message. */
  async make(package_: Package, interpreter: Interpreter): Promise<string> {
    const folder = path.join(CACHE, 'environments', `${package_.name.toLowerCase()}-${interpreter.minor}`);
    if (versionIn(folder) !== interpreter.version) {
      rmSync(folder, { recursive: true, force: true });
      await this.#uv('venv', '--python', interpreter.path, folder);
    }
    await this.#uv(
      'pip',
      'install',
      '--upgrade',
      ...this.#args,
      '--python',
      path.join(folder, 'bin', 'python'),
      ...package_.installer,
      'gunicorn',
      package_.name,
      ...package_.install,
    );
    return folder;
  }

  /** Versions of the installed packages, by name in lower case. */
  async versions(folder: string): Promise<ReadonlyMap<string, string>> {
    const { stdout } = await this.#uv(
      'pip',
      'list',
      '--format',
      'json',
      '--python',
      path.join(folder, 'bin', 'python'),
    );
    const listed = JSON.parse(stdout) as { readonly name: string; readonly version: string }[];
    return new Map(listed.map(({ name, version }) => [name.toLowerCase().replaceAll(/[-_.]+/g, '-'), version]));
  }

  async #uv(...args: string[]): Promise<{ stdout: string }> {
    return await run(UV, args, {
      env: this.#environment,
      timeout: INSTALLED_WITHIN_MS,
      maxBuffer: 16 * 1024 * 1024,
    });
  }
}

/** The version of the interpreter that an environment was made with; null without an environment. */
function versionIn(folder: string): string | null {
  const file = path.join(folder, 'pyvenv.cfg');
  if (!existsSync(file)) return null;
  return /^version_info = (\S+)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? null;
}
