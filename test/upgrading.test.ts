/** Another installation of Cowherd takes over a running herd, and the first installation is moved away or removed. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { expect, test } from 'vitest';
import { cowherd, HELLO, PYTHON, ROOT, serve, serving, type Run } from './support/cowherd.ts';
import { change, installation } from './support/installation.ts';
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

test('a reload whose own installation is gone fails with the reason, and the herd keeps serving', async () => {
  const old = installation();
  const run = await serving(args, { files, command: path.join(old, 'bin', 'cowherd') });
  renameSync(old, `${old}.gone`);
  run.signal('SIGHUP');
  await run.waitForText(/Reload to generation 2 failed: .*No such file or directory: .*launch\.py/);
  expect((await run.get('/')).status).toBe(200);
  await fullHerd(run, 1);
  await run.stop();
});

test('a herd.json of another version is not read, and the herd is adopted without it', async () => {
  const old = installation();
  change(old, 'dist/supervisor/runtime-directory/herd-file.js', 'FILE_VERSION = 1', 'FILE_VERSION = 77');
  const first = await serving(args, { files, command: path.join(old, 'bin', 'cowherd') });
  await first.command('scale', '3', '--runtime-dir', first.runtimeDirectory);
  await first.get('/');
  first.signal('SIGKILL');
  await first.ended;
  const second = serve(args, { cwd: first.folder, runtimeDirectory: first.runtimeDirectory });
  await second.waitUntilServing();
  const file = path.join(first.runtimeDirectory, 'herd.json');
  expect(second.messages).toContain(
    `Adopted herd: some saved state could not be restored: ${file}: it is of version 77, not 1`,
  );
  // The number of workers in the settings.
  await fullHerd(second, 1);
  expect(second.address).toBe(first.address);
  expect((await second.get('/')).status).toBe(200);
  await second.stop();
  await first.expectNothingLeft();
});

test('what a herd of an older version has noted and written of its census is dropped', async () => {
  const first = await serving(args, { files });
  first.signal('SIGKILL');
  await first.ended;
  const file = path.join(first.runtimeDirectory, 'herd.json');
  const saved = JSON.parse(readFileSync(file, 'utf8')) as { state: { molds: Record<string, Record<string, unknown>> } };
  for (const mold of Object.values(saved.state.molds)) mold['census'] = { phase: 'written', objects: 3, seconds: 0.5 };
  writeFileSync(file, JSON.stringify(saved));
  const censuses = ['census-1', 'census-2.new'].map((name) => path.join(first.runtimeDirectory, name));
  for (const census of censuses) writeFileSync(census, 'cowherd census');
  const second = serve(args, { cwd: first.folder, runtimeDirectory: first.runtimeDirectory });
  await second.waitForText(/Adopted the herd/);
  await second.waitUntilServing();
  expect(second.stderr).not.toContain('could not be restored');
  await until('the files are gone', () => !censuses.some((census) => existsSync(census)));
  await until('the new supervisor has noted its own', () => !readFileSync(file, 'utf8').includes('"census"'));
  await second.stop();
  await first.expectNothingLeft();
});

test('a herd.json of an older version, which knows less, is read', async () => {
  const first = await serving([...args, '--pid', 'herd.pid'], { files });
  await first.command('scale', '3', '--runtime-dir', first.runtimeDirectory);
  await first.get('/');
  first.signal('SIGKILL');
  await first.ended;
  const file = path.join(first.runtimeDirectory, 'herd.json');
  const saved = JSON.parse(readFileSync(file, 'utf8')) as { state: Record<string, unknown> };
  const { phase, settings, keeperPid, target, generation, newestGeneration, molds, workers } = saved.state;
  saved.state = { phase, settings, keeperPid, target, generation, newestGeneration, molds, workers };
  for (const all of [molds, workers]) {
    for (const each of Object.values(all as Record<string, Record<string, unknown>>)) {
      for (const name of ['threads', 'leavesAfterWorkersBefore', 'inFlight', 'stack']) delete each[name];
    }
  }
  writeFileSync(file, JSON.stringify(saved));
  const second = serve([...args, '--pid', 'herd.pid'], { cwd: first.folder, runtimeDirectory: first.runtimeDirectory });
  await second.waitUntilServing();
  expect(second.stderr).not.toContain('could not be restored');
  const { herd } = await second.status();
  expect(herd).toMatchObject({ workers_wanted: 3, workers_ready: 3, requests: 1 });
  await second.command('reload', '--runtime-dir', second.runtimeDirectory);
  await second.stop();
  await first.expectNothingLeft();
});

test('without any installation left, SIGTERM to the keeper ends the herd after its requests', async () => {
  const old = installation();
  const run = await serving(args, { files, command: path.join(old, 'bin', 'cowherd') });
  const keeper = (await run.status()).herd.keeper.pid ?? 0;
  run.signal('SIGKILL');
  await run.ended;
  renameSync(old, `${old}.gone`);
  expect((await run.get('/')).status).toBe(200);
  process.kill(keeper, 'SIGTERM');
  // The keeper removes its directory before it leaves.
  await until('its herd has ended', () => !existsSync(run.runtimeDirectory) && run.processes.length === 0);
  await run.expectNothingLeft();
});

test('a keeper of another version is not adopted, says so, and any version can end its herd', async () => {
  const first = await serving(args, { files, python: PYTHON });
  first.signal('SIGKILL');
  await first.ended;
  const adoptionSocket = path.join(first.runtimeDirectory, 'keeper.sock');
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(adoptionSocket, () => socket.write('{"type": "adopt", "protocol": 999}\n'));
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
    const socket = connect(adoptionSocket, () => socket.write('{"type": "drain", "protocol": 999, "quick": false}\n'));
    socket.once('data', (data) => resolve(data.toString()));
    socket.once('error', reject);
  });
  expect(JSON.parse(ending)).toMatchObject({ type: 'looked', draining: false });
  // The keeper removes its directory before it leaves.
  await until('its herd has ended', () => !existsSync(first.runtimeDirectory) && first.processes.length === 0);
  const status = cowherd(['status', '--runtime-dir', first.runtimeDirectory]);
  expect((await status.ended).status).toBe(30);
  await first.expectNothingLeft();
});
