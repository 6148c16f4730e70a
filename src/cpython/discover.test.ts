import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { byPreference, findInterpreter } from './discover.ts';
import type { Interpreter } from './interpreter.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'cowherd-discover-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** A program that fails when run, since finding it must not run it. */
function program(...names: string[]): string {
  const file = path.join(root, ...names);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, '#!/bin/sh\nexit 1\n');
  chmodSync(file, 0o755);
  return file;
}

test('--python is a path relative to the current directory, and takes precedence', async () => {
  const python = program('opt', 'python3.12');
  const env = { VIRTUAL_ENV: path.dirname(path.dirname(program('venv', 'bin', 'python'))) };
  expect(await findInterpreter({ python: 'opt/python3.12', cwd: root, env })).toEqual({
    path: python,
    why: 'from --python',
  });
});

test('--python may be a name on PATH', async () => {
  const python = program('second', 'python3.12');
  mkdirSync(path.join(root, 'first'));
  const env = { PATH: `${root}/first:relative:${root}/second` };
  expect((await findInterpreter({ python: 'python3.12', cwd: root, env })).path).toBe(python);
});

test.each([['missing/python'], ['python3.99'], ['.']])('--python %s is refused', async (python) => {
  await expect(findInterpreter({ python, cwd: root, env: { PATH: root } })).rejects.toMatchObject({
    code: 'PYTHON_NOT_FOUND',
  });
});

test('--python must be executable', async () => {
  chmodSync(program('python3'), 0o644);
  await expect(findInterpreter({ python: './python3', cwd: root, env: {} })).rejects.toMatchObject({
    code: 'PYTHON_NOT_FOUND',
    detail: path.join(root, 'python3'),
  });
});

test('$VIRTUAL_ENV, then .venv in the project, then .venv in the current folder', async () => {
  const active = program('active', 'bin', 'python');
  const beside = program('project', '.venv', 'bin', 'python');
  const here = program('.venv', 'bin', 'python');
  const options = { projectFolder: 'project', cwd: root };
  expect(await findInterpreter({ ...options, env: { VIRTUAL_ENV: path.join(root, 'active') } })).toEqual({
    path: active,
    why: 'from $VIRTUAL_ENV',
  });
  expect(await findInterpreter({ ...options, env: {} })).toEqual({
    path: beside,
    why: `from .venv in ${path.join(root, 'project')}`,
  });
  expect(await findInterpreter({ cwd: root, env: {} })).toEqual({
    path: here,
    why: `from .venv in ${root}`,
  });
});

test('a broken virtual environment is refused, even if there is another Python', async () => {
  const here = program('.venv', 'bin', 'python');
  const env = { VIRTUAL_ENV: path.join(root, 'gone'), PATH: path.dirname(here) };
  await expect(findInterpreter({ cwd: root, env })).rejects.toMatchObject({
    code: 'PYTHON_NOT_FOUND',
    detail: expect.stringMatching(/\/gone\/bin\/python of .*, which was chosen because \$VIRTUAL_ENV names it/),
    advice: expect.stringContaining('unset VIRTUAL_ENV'),
  });
  // The link that remains after an upgrade of the system's Python.
  rmSync(here);
  symlinkSync('/no/such/python3.9', here);
  await expect(findInterpreter({ cwd: root, env: {} })).rejects.toMatchObject({
    code: 'PYTHON_NOT_FOUND',
    detail: expect.stringContaining(`${here} of the virtual environment ${path.join(root, '.venv')}`),
  });
  rmSync(here);
  writeFileSync(path.join(root, '.venv', 'pyvenv.cfg'), '');
  await expect(findInterpreter({ cwd: root, env: {} })).rejects.toMatchObject({ code: 'PYTHON_NOT_FOUND' });
  // A directory that only has the name.
  rmSync(path.join(root, '.venv', 'pyvenv.cfg'));
  const elsewhere = fileURLToPath(new URL('../../.venv/bin', import.meta.url));
  await expect(findInterpreter({ cwd: root, env: { HOME: root, PATH: elsewhere } })).resolves.toMatchObject({
    why: expect.stringContaining('the newest found'),
  });
});

test("a .venv beside the project's directory, unless it belongs to another user", async () => {
  const beside = program('.venv', 'bin', 'python');
  const options = { cwd: path.join(root, 'shop'), env: {} };
  expect(await findInterpreter(options)).toEqual({ path: beside, why: `from .venv in ${root}` });
  // Only root can change the owner of a directory.
  if (process.getuid?.() !== 0) return;
  chownSync(path.join(root, '.venv'), 65534, 65534);
  const found = await findInterpreter(options).catch(() => null);
  expect(found?.path).not.toBe(beside);
});

test('the best interpreter is the newest released CPython with a GIL', () => {
  const make = (path: string, version: Interpreter['version'], more: Partial<Interpreter> = {}): Interpreter => ({
    path,
    version,
    implementation: 'cpython',
    freeThreaded: false,
    debug: false,
    pointerBytes: 8,
    littleEndian: true,
    hugePages: false,
    prefix: path,
    final: true,
    gunicorn: null,
    pip: true,
    ...more,
  });
  const sorted = [
    make('old', [3, 9, 18]),
    make('pypy', [3, 11, 13], { implementation: 'pypy' }),
    make('free-threaded', [3, 14, 1], { freeThreaded: true }),
    make('candidate', [3, 15, 0], { final: false }),
    make('newest', [3, 13, 10]),
    make('newer', [3, 13, 9]),
  ].sort(byPreference);
  expect(sorted.map(({ path }) => path)).toEqual(['newest', 'newer', 'old', 'candidate', 'free-threaded', 'pypy']);
});

test("the environment that Cowherd is installed into comes before the active one; a tool installer's does not count", async () => {
  const own = program('own', 'bin', 'python');
  const active = program('active', 'bin', 'python');
  const installation = path.join(root, 'own', 'lib', 'python3.13', 'site-packages', 'cowherd_server');
  const options = { cwd: root, installation, env: { VIRTUAL_ENV: path.join(root, 'active') } };
  expect((await findInterpreter(options)).path).toBe(active);
  writeFileSync(path.join(root, 'own', 'pyvenv.cfg'), '');
  expect(await findInterpreter(options)).toEqual({ path: own, why: 'the one that Cowherd is installed for' });
  writeFileSync(path.join(root, 'own', 'uv-receipt.toml'), '');
  expect((await findInterpreter(options)).path).toBe(active);
});

test('the system interpreter that Cowherd is installed for comes after every virtual environment', async () => {
  const system = program('usr', 'bin', 'python3.13');
  const installation = path.join(root, 'usr', 'lib', 'python3.13', 'dist-packages', 'cowherd_server');
  expect((await findInterpreter({ cwd: root, installation, env: {} })).path).toBe(system);
  const beside = program('.venv', 'bin', 'python');
  expect((await findInterpreter({ cwd: root, installation, env: {} })).path).toBe(beside);
});

test.each(['uv/archive-v0/x1', 'uv/environments-v2/y', 'pipx/venvs/cowherd-server'])(
  'the environment of a tool in %s has no application',
  async (folder) => {
    program(folder, 'bin', 'python');
    writeFileSync(path.join(root, folder, 'pyvenv.cfg'), '');
    const installation = path.join(root, folder, 'lib', 'python3.13', 'site-packages', 'cowherd_server');
    const beside = program('.venv', 'bin', 'python');
    expect((await findInterpreter({ cwd: root, installation, env: {} })).path).toBe(beside);
  },
);
