/** The runtime directory is taken away under a running herd, as by whoever tidies up /tmp or logs a user out. */
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { cowherd, HELLO, serve, serving, type Run } from './support/cowherd.ts';
import { until } from './support/until.ts';

const files = { 'hello.py': HELLO };

/** At once, since the herd may write there meanwhile. */
function takeAway(file: string): void {
  const gone = `${file}.gone`;
  renameSync(file, gone);
  rmSync(gone, { recursive: true });
}

const told = (run: Run): string[] => run.messages.filter((message) => message.includes('was taken away'));

/** Until a command finds the herd again; no request is refused meanwhile. */
async function untilManageable(run: Run): Promise<void> {
  await until('the herd can be asked again', async () => {
    expect((await run.get('/')).status).toBe(200);
    return existsSync(path.join(run.runtimeDirectory, 'control.sock'));
  });
}

test.each([
  ['all of it', ['.']],
  ['the control socket', ['control.sock']],
  ['the control socket and the marker', ['control.sock', '.cowherd']],
])('%s: it is made again, and the herd can be managed', async (_what, names) => {
  const run = await serving(['hello:app', '--workers', '2'], { files });
  for (const name of names) takeAway(path.resolve(run.runtimeDirectory, name));
  await untilManageable(run);
  await until('it is said', () => told(run).length > 0);
  expect(statSync(run.runtimeDirectory).mode & 0o777).toBe(0o700);
  expect(told(run)).toEqual([expect.stringContaining('it is made again')]);
  const status = await run.command('status', '--json', '--runtime-dir', run.runtimeDirectory);
  expect(JSON.parse(status.stdout)).toMatchObject({ herd: { workers_ready: 2, supervisor: { pid: run.pid } } });
  await run.command('scale', '3', '--runtime-dir', run.runtimeDirectory);
  await until('three workers are ready', async () => (await run.status()).herd.workers_ready === 3);
  expect(existsSync(path.join(run.runtimeDirectory, 'herd.json'))).toBe(true);
  await run.command('reload', '--runtime-dir', run.runtimeDirectory);
  expect((await run.get('/')).status).toBe(200);
  await run.command('stop', '--runtime-dir', run.runtimeDirectory);
  expect(await run.ended, run.stderr).toEqual({ status: 0, signal: null });
  // One whose marker was gone may have been there before.
  if (names.length > 1) expect(readdirSync(run.runtimeDirectory)).toEqual([]);
  else await run.expectNothingLeft();
});

test('all of it, and then the supervisor is killed: the next one adopts the herd', async () => {
  const args = ['hello:app', '--workers', '2', '--bind', '127.0.0.1:0'];
  const first = await serving(args, { files });
  const { herd } = await first.status();
  takeAway(first.runtimeDirectory);
  await untilManageable(first);
  await until('the keeper can be found again', () => existsSync(path.join(first.runtimeDirectory, 'keeper.sock')));
  first.signal('SIGKILL');
  await first.ended;
  const second = serve(args, { cwd: first.folder, runtimeDirectory: first.runtimeDirectory });
  await second.waitForText(/Adopted the herd of supervisor/);
  expect((await second.status()).herd.keeper.pid).toBe(herd.keeper.pid);
  expect((await second.get('/')).status).toBe(200);
  await second.stop();
  await first.expectNothingLeft();
});

test('only what the next supervisor reads: it is written again', async () => {
  const run = await serving(['hello:app'], { files });
  rmSync(path.join(run.runtimeDirectory, 'herd.json'));
  await until('it is there again', () => existsSync(path.join(run.runtimeDirectory, 'herd.json')));
  expect(told(run)).toEqual([]);
  await run.stop();
});

test('and another folder stands in its place: that is not touched, and it is said once', async () => {
  const run = await serving(['hello:app'], { files });
  takeAway(run.runtimeDirectory);
  mkdirSync(run.runtimeDirectory);
  chmodSync(run.runtimeDirectory, 0o777);
  await until('it is said', () => told(run).length > 0);
  const status = cowherd(['status', '--runtime-dir', run.runtimeDirectory]);
  expect((await status.ended).status).not.toBe(0);
  // Some ticks later.
  for (const from = Date.now(); Date.now() < from + 2500;) expect((await run.get('/')).status).toBe(200);
  expect(told(run)).toEqual([expect.stringMatching(/cannot be made again .* signals to process \d+ still reach it/)]);
  expect(statSync(run.runtimeDirectory).mode & 0o777).toBe(0o777);
  run.signal('SIGTERM');
  expect(await run.ended, run.stderr).toEqual({ status: 0, signal: null });
  expect(run.processes).toEqual([]);
  expect(readdirSync(run.runtimeDirectory)).toEqual([]);
});
