/** Finds interpreters by running real ones. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { discover, findInterpreter } from '../../src/cpython/discover.ts';
import { compareVersions, type Interpreter, OLDEST_PYTHON, probe } from '../../src/cpython/interpreter.ts';

let root: string;
let real: Interpreter;
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'cowherd-discover-'));
  real = (await discover(process.env)).find(({ version }) => compareVersions(version, OLDEST_PYTHON) >= 0)!;
});
afterAll(() => rmSync(root, { recursive: true }));

function script(name: string, text: string): string {
  const file = path.join(root, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return file;
}

test('an interpreter says what it is', async () => {
  const version = execFileSync(real.path, ['-c', 'import sys; print("%d.%d.%d" % sys.version_info[:3])'], {
    encoding: 'utf8',
  });
  const found = (await probe(real.path))!;
  expect(found.version.join('.')).toBe(version.trim());
  expect(found).toMatchObject({ implementation: 'cpython', freeThreaded: false, pointerBytes: 8 });
});

test('a program that is no interpreter is not taken for one', async () => {
  expect(await probe(script('fails', '#!/bin/sh\nexit 3\n'))).toBeNull();
  expect(await probe(script('chatters', '#!/bin/sh\necho hello\n'))).toBeNull();
  expect(await probe(path.join(root, 'missing'))).toBeNull();
});

test('gunicorn is found with its version, and only where it is', async () => {
  const site = path.join(root, 'site');
  mkdirSync(path.join(site, 'gunicorn-23.0.0.dist-info'), { recursive: true });
  mkdirSync(path.join(site, 'gunicorn'));
  writeFileSync(path.join(site, 'gunicorn', '__init__.py'), '');
  const wrapper = script('with-gunicorn', `#!/bin/sh\nPYTHONPATH=${site} exec ${real.path} -S "$@"\n`);
  const without = script('without-gunicorn', `#!/bin/sh\nexec ${real.path} -S "$@"\n`);
  expect((await probe(wrapper))?.gunicorn).toBe('23.0.0');
  expect((await probe(without))?.gunicorn).toBeNull();
});

test('all names of one installation are one interpreter', async () => {
  const folder = path.join(root, 'names');
  mkdirSync(folder);
  for (const name of ['python3', 'python3.12', 'python3.13', 'python3-config'])
    symlinkSync(real.path, path.join(folder, name));
  const found = await discover({ ...process.env, PATH: folder });
  expect(found.filter(({ prefix }) => prefix === real.prefix)).toHaveLength(1);
});

test('by default the newest interpreter is chosen', async () => {
  const choice = await findInterpreter({ cwd: root, env: { PATH: process.env['PATH'], HOME: process.env['HOME'] } });
  expect(choice.why).toMatch(/^the newest found: 3\.\d+\.\d+$/);
  for (const other of await discover(process.env)) {
    const chosen = choice.why.replace(/.* /, '').split('.').map(Number);
    if (other.final && !other.freeThreaded && other.implementation === 'cpython') {
      expect(compareVersions(chosen, other.version)).toBeGreaterThanOrEqual(0);
    }
  }
});
