/** Which herd a command acts on: the one of its folder or the one named, never another one. */
import { realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { catalogue } from '../src/base/error-catalogue.ts';
import type { HerdEntry } from '../src/cli/herd/herds.ts';
import type { StatusReport } from '../src/supervisor/control/status.ts';
import { isAlive } from '../src/procfs/alive.ts';
import { cowherd, HELLO, serve, serving, temporaryFolder, type Run } from './support/cowherd.ts';
import { until } from './support/until.ts';

const files = { 'hello.py': HELLO };

async function herds(run: Run): Promise<HerdEntry[]> {
  const { stdout } = await run.command('list', '--json');
  const listed = JSON.parse(stdout) as { version: number; herds: HerdEntry[] };
  expect(listed.version).toBe(1);
  return listed.herds;
}

/** `hello:app of FOLDER (DIRECTORY)`. */
function nameOf(run: Run): string {
  return `hello:app of ${realpathSync(run.folder)} (${run.runtimeDirectory})`;
}

test('in a folder without a herd no command does anything to another one, and each shows it', async () => {
  const run = await serving(['hello:app'], { files, runtimeDirectory: null });
  const { herd } = JSON.parse((await run.command('status', '--json')).stdout) as StatusReport;
  // The same base of runtime directories, as for herds of one user.
  const env = { XDG_RUNTIME_DIR: run.folder };
  for (const words of [['stop'], ['reload'], ['rollback'], ['refork'], ['scale', '3'], ['status'], ['why']]) {
    const other = cowherd(words, { env });
    expect(await other.ended, other.stderr).toEqual({ status: catalogue.NOT_RUNNING.exitStatus, signal: null });
    expect(other.stderr).toContain(`none was started in ${realpathSync(other.folder)}`);
    const row = other.stderr.split('\n').find((line) => line.includes(herd.runtime_directory));
    for (const part of ['hello:app', run.address, realpathSync(run.folder)]) expect(row).toContain(part);
  }
  const probe = cowherd(['status', '--ready'], { env });
  expect((await probe.ended).status).toBe(1);
  expect(probe.stderr).toMatch(/^Not ready: No herd is running here: none was started in /);
  const after = JSON.parse((await run.command('status', '--json')).stdout) as StatusReport;
  expect(after.herd).toMatchObject({ phase: 'serving', generation: 1, workers_wanted: 1, last_rollout: null });
  expect((await run.get('/')).status).toBe(200);
  await run.stop();
});

test('commands find the herd of this folder in any runtime directory, and every answer names it', async () => {
  const run = await serving(['hello:app', '-k', 'gthread'], { files });
  const name = nameOf(run);
  expect((await run.command('status')).stdout).toContain(
    `${realpathSync(run.folder)}, runtime directory ${run.runtimeDirectory}`,
  );
  expect((await run.command('scale', '2')).stdout).toBe(`Scaling the herd to 2 workers: ${name}\n`);
  const reload = await run.command('reload');
  expect(reload.stderr).toContain(name);
  expect(reload.stdout).toMatch(/^Generation 2 serves, after [\d.]+ s: hello:app of /);
  expect(reload.stdout).toContain(name);
  expect((await run.command('rollback')).stdout).toContain(name);
  expect((await run.command('refork', '--no-wait')).stdout).toContain(name);
  await until('it is reforked', async () => (await run.status()).herd.last_rollout?.kind === 'refork');
  expect((await run.command('stop')).stdout).toBe(`Stopped ${name}\n`);
  expect(await run.ended).toEqual({ status: 0, signal: null });
});

test('list shows herds with and without a supervisor, and those of two folders', async () => {
  const first = await serving(['hello:app', '--workers', '2'], { files });
  const second = await serving(['hello:app'], { files });
  const find = (all: HerdEntry[], run: Run) =>
    all.find(({ runtime_directory: directory }) => directory === run.runtimeDirectory);
  const all = await herds(first);
  expect(find(all, first)).toEqual({
    pid: first.pid,
    app: 'hello:app',
    listeners: first.addresses,
    folder: realpathSync(first.folder),
    runtime_directory: first.runtimeDirectory,
    uid: process.getuid?.(),
    workers_ready: 2,
    workers_wanted: 2,
    phase: 'serving',
    supervised: true,
    problem: null,
  });
  expect(find(all, second)).toMatchObject({ pid: second.pid, folder: realpathSync(second.folder), workers_wanted: 1 });
  const keeper = (await first.status()).herd.keeper.pid;
  first.signal('SIGSTOP');
  expect(find(await herds(second), first)).toMatchObject({
    pid: first.pid,
    app: 'hello:app',
    listeners: first.addresses,
    folder: realpathSync(first.folder),
    workers_wanted: 2,
    supervised: null,
    problem: 'NO_ANSWER',
  });
  first.signal('SIGKILL');
  await until('it has no supervisor', () => !isAlive(first.pid));
  expect(find(await herds(second), first)).toMatchObject({
    pid: keeper,
    app: 'hello:app',
    listeners: first.addresses,
    folder: realpathSync(first.folder),
    workers_ready: 2,
    supervised: false,
    problem: 'SUPERVISOR_GONE',
  });
  const { stdout } = await second.command('list');
  expect(stdout.split('\n').find((line) => line.includes(first.runtimeDirectory))).toContain('without supervisor');
  // A herd without a supervisor belongs to its folder too.
  expect((await first.command('stop')).stdout).toBe(`Stopped ${nameOf(first)}\n`);
  expect(find(await herds(second), first)).toBeUndefined();
  await second.stop();
});

test('an address that another herd has: the error names that herd, and says what to do', async () => {
  const socket = path.join(temporaryFolder(), 'web.sock');
  const bound = ['hello:app', '--bind', `unix:${socket}`];
  const first = await serving([...bound, '--workers', '2'], { files, runtimeDirectory: null });
  const env = { XDG_RUNTIME_DIR: first.folder };
  const args = [...bound, '--workers', '3', '--threads', '2'];
  const { herd } = JSON.parse((await first.command('status', '--json')).stdout) as StatusReport;
  const name = `hello:app of ${realpathSync(first.folder)} (${herd.runtime_directory})`;

  const beside = serve(args, { files, env });
  expect((await beside.ended).status).toBe(catalogue.ADDRESS_IN_USE.exitStatus);
  expect(beside.stderr).toContain(`The herd ${name} listens there: \`cowherd stop --runtime-dir`);

  first.signal('SIGKILL');
  await until('it has no supervisor', () => !isAlive(first.pid));
  const changed = serve(args, { cwd: first.folder, env, runtimeDirectory: null });
  expect((await changed.ended).status).toBe(catalogue.ADDRESS_IN_USE.exitStatus);
  expect(changed.stderr).toContain(
    `This folder's own herd ${name} listens there. Its supervisor is gone (keeper ${herd.keeper.pid}), and the herd was` +
      ' started with other arguments',
  );
  expect((await first.get('/')).status).toBe(200);

  // Does what the advice says.
  const adopting = await serving(args, { cwd: first.folder, env, runtimeDirectory: herd.runtime_directory });
  expect((await adopting.status()).herd.workers_wanted).toBe(2);
  await adopting.command('reload', '--runtime-dir', herd.runtime_directory);
  expect((await first.get('/')).status).toBe(200);
  await adopting.command('stop', '--runtime-dir', herd.runtime_directory);
  expect((await adopting.ended).status).toBe(0);
});

test('with two herds in one folder the table shows both, and nothing is done', async () => {
  const first = await serving(['hello:app'], { files, runtimeDirectory: null });
  const env = { XDG_RUNTIME_DIR: first.folder };
  const second = await serving(['hello:app', '--workers', '2'], { cwd: first.folder, runtimeDirectory: null, env });
  const stop = cowherd(['stop'], { cwd: first.folder, env });
  expect(await stop.ended).toEqual({ status: catalogue.SEVERAL_RUNNING.exitStatus, signal: null });
  for (const part of [first.address, second.address, 'hello:app', '--runtime-dir']) expect(stop.stderr).toContain(part);
  expect(stop.stderr).toContain(`2 were started in ${realpathSync(first.folder)}`);
  expect((await first.get('/')).status).toBe(200);
  expect((await second.get('/')).status).toBe(200);
  await second.stop();
  await first.stop();
});

test('scale has a limit, which is checked without asking the herd', async () => {
  const run = await serving(['hello:app'], { files });
  const scale = cowherd(['scale', '1000000', '--runtime-dir', run.runtimeDirectory]);
  expect(await scale.ended).toEqual({ status: catalogue.INVALID_SETTING.exitStatus, signal: null });
  expect(scale.stderr).toContain('workers must be between 1 and 1,000; it is 1,000,000');
  expect((await run.status()).herd.workers_wanted).toBe(1);
  await run.stop();
});

test('a folder with notes of a herd that no longer runs has no herd', async () => {
  const run = cowherd(['status'], { files: { 'run/herd.json': '{}' } });
  writeFileSync(path.join(run.folder, 'run', 'control.sock'), '');
  expect(await run.ended).toEqual({ status: catalogue.NOT_RUNNING.exitStatus, signal: null });
});
