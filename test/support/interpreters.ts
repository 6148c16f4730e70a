/** Interpreters of this machine besides the checkout's, for tests that need them. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { PYTHON } from './cowherd.ts';

interface Found {
  path: string;
  version: [number, number];
  freeThreaded: boolean;
}

const ABOUT = `
import json, sys, sysconfig
print(json.dumps([sys.version_info[:2], bool(sysconfig.get_config_var("Py_GIL_DISABLED"))]))
`;

/** Every Python 3 on PATH, in the usual places and under ~/.pyenv, except those that don't run. */
function find(): Found[] {
  const pyenv = path.join(homedir(), '.pyenv', 'versions');
  const folders = [
    ...(process.env['PATH'] ?? '').split(':').filter((folder) => !folder.endsWith('/shims')),
    '/usr/local/bin',
    '/usr/bin',
    ...(existsSync(pyenv) ? readdirSync(pyenv).map((version) => path.join(pyenv, version, 'bin')) : []),
  ];
  const candidates = folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => /^python3(\.\d+t?)?$/.test(name))
        .map((name) => path.join(folder, name)),
    );
  return [...new Set(candidates)].flatMap((candidate) => {
    try {
      const [version, freeThreaded] = JSON.parse(
        execFileSync(candidate, ['-I', '-c', ABOUT], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
      ) as [[number, number], boolean];
      return [{ path: candidate, version, freeThreaded }];
    } catch {
      return [];
    }
  });
}

let known: Found[] | null = null;

/** The first interpreter that fits, or `null`. */
export function interpreter(isFit: (found: Found) => boolean): string | null {
  known ??= find();
  return known.find(isFit)?.path ?? null;
}

/**
 * Makes a folder for PYTHONPATH from which another interpreter can import gunicorn and its dependencies: the checkout's
 * own, which are pure Python.
 */
export function gunicornFor(folder: string): string {
  const [purelib = ''] = execFileSync(PYTHON, ['-c', 'import sysconfig; print(sysconfig.get_path("purelib"))'], {
    encoding: 'utf8',
  }).split('\n');
  const site = path.join(folder, 'site');
  mkdirSync(site);
  for (const name of ['gunicorn', 'packaging']) symlinkSync(path.join(purelib, name), path.join(site, name));
  return site;
}
