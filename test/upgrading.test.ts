/** Another installation of Cowherd takes over a running herd, and the first one is moved away or removed. */
import { existsSync, renameSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { expect, test } from 'vitest';
import { cowherd, HELLO, PYTHON, ROOT, serve, serving, type Run } from './support/cowherd.ts';
import { installation } from './support/installation.ts';
import { processInfo } from './support/processes.ts';
import { until } from './support/until.ts';

const files = { 'hello.py': HELLO };
const args = ['hello:app', '--workers', '2', '--bind', '127.0.0.1:0'];

async function fullHerd(run: Run, generation: number): Promise<void> {
  await until(`generation ${generation} serves`, async () => {
    const { herd } = await run.status();
    return herd.generation === generation && herd.rollout === null && herd.workers_ready === 2;
  });
}

test('the herd of an installation that is gone is adopted, and reloads with the agent of the new one', async () => {
  const old = installation();
  const first = await serving(args, { files, command: path.join(old, 'bin', 'cowherd') });
  first.signal('SIGKILL');
  await first.ended;
  const second = serve(args, { cwd: first.folder, runtimeDirectory: first.runtimeDirectory });
  await second.waitUntilServing();
  renameSync(old, `${old}.gone`);
  await second.command('reload', '--runtime-dir', second.runtimeDirectory);
  await fullHerd(second, 2);
  expect((await second.get('/')).status).toBe(200);
  const mold = (await second.status()).molds.find(({ generation }) => generation === 2);
  expect(processInfo(mold?.pid ?? 0)?.command).toContain(path.join(ROOT, 'agent', 'launch.py'));
  await second.stop();
  await first.expectNothingLeft();
});

test('a reload whose own installation is gone fails with the reason, and the herd serves on', async () => {
  const old = installation();
  const run = await serving(args, { files, command: path.join(old, 'bin', 'cowherd') });
  renameSync(old, `${old}.gone`);
  run.signal('SIGHUP');
  await run.waitForText(/Reload to generation 2 failed: .*No such file or directory: .*launch\.py/);
  expect((await run.get('/')).status).toBe(200);
  await fullHerd(run, 1);
  await run.stop();
});

test('a keeper of another version is not adopted, says so, and any version can end its herd', async () => {
  const first = await serving(args, { files, python: PYTHON });
  first.signal('SIGKILL');
  await first.ended;
  const door = path.join(first.runtimeDirectory, 'keeper.sock');
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(door, () => socket.write('{"type": "adopt", "protocol": 999}\n'));
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString());
    });
    socket.once('error', reject);
  });
  expect(JSON.parse(answer)).toMatchObject({ type: 'refused', code: 'PROTOCOL_MISMATCH' });
  expect(answer).toContain('`cowherd stop` ends its herd');
  expect((await first.get('/')).status).toBe(200);
  const ending = await new Promise<string>((resolve, reject) => {
    const socket = connect(door, () => socket.write('{"type": "drain", "protocol": 999, "quick": false}\n'));
    socket.once('data', (data) => resolve(data.toString()));
    socket.once('error', reject);
  });
  expect(JSON.parse(ending)).toMatchObject({ type: 'looked', draining: false });
  await until('its herd has ended', () => !existsSync(first.runtimeDirectory));
  const status = cowherd(['status', '--runtime-dir', first.runtimeDirectory]);
  expect((await status.ended).status).toBe(30);
  await first.expectNothingLeft();
});
