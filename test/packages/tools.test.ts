/** The packages by other installers: npm, uvx and pipx. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { uvSettings } from '../../compatibility/packages/pip-settings.ts';
import { HELLO, PYTHON, serving, temporaryFolder } from '../support/cowherd.ts';
import { filesIn, packageFile } from './installing.ts';

const BIN = path.dirname(PYTHON);
/** So that uv takes packages from where pip does. */
const uv = uvSettings(execFileSync(PYTHON, ['-m', 'pip', 'config', 'list'], { encoding: 'utf8' }));

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const own = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...uv.environment };
  const done = spawnSync(command, args, { encoding: 'utf8', cwd: '/', env: { ...own, ...env } });
  expect(done.status, done.stderr).toBe(0);
  return done.stdout;
}

test('npm install --global: serves, brings no other package, and uninstalls without a trace', async () => {
  const prefix = temporaryFolder();
  run('npm', ['install', '--global', '--prefix', prefix, '--no-audit', '--no-fund', await packageFile(/\.tgz$/)]);
  const command = path.join(prefix, 'bin', 'cowherd');
  expect(existsSync(path.join(prefix, 'lib', 'node_modules', 'cowherd', 'node_modules'))).toBe(false);
  // The command itself, not a Node that was named by the test.
  const prefixWords = ['sh', '-c', 'shift; exec "$@"', 'sh'];
  const herd = await serving(['hello:app'], { command, prefix: prefixWords, files: { 'hello.py': HELLO } });
  expect((await herd.get('/')).status).toBe(200);
  await herd.stop();
  run('npm', ['uninstall', '--global', '--prefix', prefix, 'cowherd']);
  expect(filesIn(prefix).filter((file) => file.includes('cowherd'))).toEqual([]);
});

test('uvx: why of a process that runs already', async () => {
  const herd = await serving(['hello:app', '--workers', '2'], { files: { 'hello.py': HELLO } });
  const mold = herd.processes.find(({ name }) => name === 'cowherd-mold');
  const wheel = await packageFile(/^cowherd_server.*whl$/);
  const words = [
    'tool',
    'run',
    '--quiet',
    '--python',
    PYTHON,
    '--from',
    wheel,
    'cowherd',
    'why',
    `${mold?.pid}`,
    '--json',
  ];
  const env = { XDG_RUNTIME_DIR: herd.folder };
  expect(JSON.parse(run(path.join(BIN, 'uv'), words, env))).toHaveProperty('workers');
  await herd.stop();
});

test("pipx: an installed command serves a project by the project's environment, not by its own", async () => {
  const home = temporaryFolder();
  const env = {
    PIPX_HOME: path.join(home, 'pipx'),
    PIPX_BIN_DIR: path.join(home, 'bin'),
    PIPX_MAN_DIR: path.join(home, 'man'),
  };
  const wheel = await packageFile(/^cowherd_server.*whl$/);
  run(path.join(BIN, 'pipx'), ['install', '--quiet', '--python', PYTHON, wheel], env);
  const command = path.join(home, 'bin', 'cowherd');
  const prefix = ['sh', '-c', 'shift; exec "$@"', 'sh'];
  const herd = await serving(['hello:app'], {
    command,
    prefix,
    python: null,
    files: { 'hello.py': HELLO },
    env: { VIRTUAL_ENV: path.dirname(BIN) },
  });
  expect(herd.messages.join('\n')).toContain('(from $VIRTUAL_ENV)');
  await herd.stop();
});
