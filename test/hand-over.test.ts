/**
 * Two builds whose keepers speak different versions of the protocol: the herd of the new one replaces that of the old
 * one. Each request is counted, and at the end neither has left anything behind.
 */
import { existsSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { catalogue } from '../src/base/error-catalogue.ts';
import type { ErrorCode } from '../src/base/errors.ts';
import { PROTOCOL_VERSION } from '../src/agent/messages.ts';
import { cowherd, serve, serving, type Run, type StartOptions } from './support/cowherd.ts';
import { fetchFrom, isListening } from './support/http.ts';
import { change, commandOf, installation, OTHER_PROTOCOL, otherInstallation } from './support/installation.ts';
import { Load } from './support/load.ts';
import { isGone } from './support/processes.ts';
import { until } from './support/until.ts';

/** With COWHERD_HOLD it keeps loading until the file of that name exists. */
const APP = `
import os, time
while os.environ.get("COWHERD_HOLD") and not os.path.exists(os.environ["COWHERD_HOLD"]):
    time.sleep(0.02)
if os.environ.get("COWHERD_FAILS"):
    raise RuntimeError("the new version does not load")
def app(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        open("in-flight", "w").close()
        while not os.path.exists("go-on"):
            time.sleep(0.05)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getppid()).encode()]
async def asgi(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(os.getppid()).encode()})
`;

const files = { 'shop.py': APP };
const args = ['shop:app', '--workers', '2', '--bind', '127.0.0.1:0', '--bind', 'unix:shop.sock'];

/** Starts a herd of the other version and kills its supervisor. */
async function orphaned(build: string, words: readonly string[] = args): Promise<{ run: Run; keeper: number }> {
  const run = await serving(words, { files, command: commandOf(build) });
  const keeper = (await run.status()).herd.keeper.pid ?? 0;
  run.signal('SIGKILL');
  await run.ended;
  return { run, keeper };
}

/** Starts a herd of this version in the same folder and runtime directory. */
function following(first: Run, words: readonly string[] = args, options: StartOptions = {}): Run {
  // The same user, and so the same place of gunicorn's control socket.
  const env = { XDG_RUNTIME_DIR: first.folder, ...options.env };
  return serve(words, { cwd: first.folder, runtimeDirectory: first.runtimeDirectory, ...options, env });
}

function loadsOn(run: Run): Load[] {
  expect(run.addresses).toHaveLength(2);
  return run.addresses.map(
    (address) => new Load({ get: async (pathname: string) => await fetchFrom(address, pathname) }, '/', 2, 5),
  );
}

/**
 * Stops the loads. Expects that every request was answered, more than `atLeast` of each load. Returns the keepers of
 * the workers that answered.
 */
async function expectAllAnswered(loads: readonly Load[], atLeast: number): Promise<Set<string>> {
  for (const load of loads) await load.stop();
  for (const load of loads) {
    expect(load.failures).toEqual([]);
    expect(load.answered).toBeGreaterThan(atLeast);
  }
  return new Set(loads.flatMap((load) => [...load.texts]));
}

async function expectError(run: Run, code: ErrorCode): Promise<void> {
  expect(await run.ended, run.stderr).toEqual({ status: catalogue[code].exitStatus, signal: null });
  expect(run.stderr).toContain(code);
}

/** Expects that the old herd is unchanged: it serves, has no supervisor, and has all its files. */
async function expectUntouched(run: Run, keeper: number, filesBefore: readonly string[]): Promise<void> {
  for (const address of run.addresses) {
    expect((await fetchFrom(address, '/')).text).toBe(String(keeper));
  }
  await expectError(cowherd(['status', '--runtime-dir', run.runtimeDirectory]), 'SUPERVISOR_GONE');
  expect(filesIn(run)).toEqual(filesBefore);
}

function filesIn(run: Run): string[] {
  return readdirSync(run.runtimeDirectory)
    .filter((name) => name !== 'control.sock')
    .map((name) => {
      const file = path.join(run.runtimeDirectory, name);
      const status = statSync(file);
      return `${name} ${status.isFile() ? readFileSync(file, 'utf8') : status.ino}`;
    })
    .toSorted();
}

/** Expects that `cowherd stop`, of this version, ends everything. */
async function stopAll(...runs: Run[]): Promise<void> {
  const [first] = runs;
  const stop = cowherd(['stop', '--runtime-dir', first!.runtimeDirectory]);
  expect(await stop.ended, stop.stderr).toEqual({ status: 0, signal: null });
  for (const run of runs) {
    await run.ended;
    await run.expectNothingLeft();
  }
}

test('another version takes over under load: no request is lost, one in flight is answered', async () => {
  const old = otherInstallation();
  const { run: first, keeper } = await orphaned(old);
  // The old keeper no longer needs its installation.
  renameSync(old, `${old}.gone`);
  const loads = loadsOn(first);
  const slow = first.get('/slow');
  await until('it is in flight', () => existsSync(path.join(first.folder, 'in-flight')));
  const socketFile = statSync(path.join(first.folder, 'shop.sock')).ino;

  const second = following(first);
  await second.waitUntilServing();
  expect(second.addresses).toEqual(first.addresses);
  expect(second.messages).toContain(
    `The herd of keeper ${keeper} (protocol version ${OTHER_PROTOCOL}) serves until every worker of this herd is ready`,
  );
  const { herd } = await second.status();
  expect(herd.keeper.pid).not.toBe(keeper);
  expect(herd.not_ready_because).toBeNull();
  expect((await second.get('/')).text).toBe(String(herd.keeper.pid));
  // The old keeper waits for its last request; the new herd owns the directory already.
  expect(isGone(keeper)).toBe(false);
  writeFileSync(path.join(first.folder, 'go-on'), '');
  expect(await slow).toMatchObject({ status: 200, text: String(keeper) });
  await second.waitForText(new RegExp(`keeper ${keeper} .* has ended`));
  await until('nothing of the old herd is left', () => first.processes.length === 0);
  expect(await expectAllAnswered(loads, 50)).toEqual(new Set([String(keeper), String(herd.keeper.pid)]));

  expect(statSync(path.join(first.folder, 'shop.sock')).ino).toBe(socketFile);
  expect(readdirSync(first.runtimeDirectory).toSorted()).toEqual([
    '.cowherd',
    'control.sock',
    'herd.json',
    'keeper.sock',
  ]);
  await stopAll(first, second);
});

test.each([
  ['gthread', ['shop:app', '--worker-class', 'gthread', '--threads', '4']],
  ['gevent', ['shop:app', '--worker-class', 'gevent']],
  ['asgi', ['shop:asgi', '--worker-class', 'asgi']],
  ['uvicorn', ['shop:asgi', '--worker-class', 'uvicorn_worker.UvicornWorker']],
])('workers of the class %s lose no request either', async (_, [app = '', ...options]) => {
  const words = [app, ...args.slice(1), ...options];
  const { run: first, keeper } = await orphaned(otherInstallation(), words);
  const loads = loadsOn(first);
  const second = following(first, words);
  await second.waitForText(/\) has ended/);
  const { herd } = await second.status();
  expect(await expectAllAnswered(loads, 50)).toEqual(new Set([String(keeper), String(herd.keeper.pid)]));
  await stopAll(first, second);
});

test('a herd that was handed over can be adopted, reloaded, and handed over again', async () => {
  const old = otherInstallation();
  const { run: first } = await orphaned(old);
  const loads = loadsOn(first);
  const second = following(first);
  await second.waitForText(/\) has ended/);
  const { herd } = await second.status();
  second.signal('SIGKILL');
  await second.ended;
  const third = following(first);
  await third.waitForText(/Adopted the herd/);
  expect((await third.status()).herd.keeper.pid).toBe(herd.keeper.pid);
  await third.command('reload', '--runtime-dir', first.runtimeDirectory);
  third.signal('SIGKILL');
  await third.ended;
  // Back to the previous version.
  const fourth = following(first, args, { command: commandOf(old) });
  await fourth.waitForText(new RegExp(`keeper ${herd.keeper.pid} .* has ended`));
  await expectAllAnswered(loads, 100);
  await stopAll(first, second, third, fourth);
});

test('a new version that does not load changes nothing', async () => {
  const old = otherInstallation();
  const { run: first, keeper } = await orphaned(old);
  const before = filesIn(first);
  const loads = loadsOn(first);
  const second = following(first, args, { env: { COWHERD_FAILS: '1' } });
  await expectError(second, 'APP_IMPORT_FAILED');
  expect(second.stderr).toMatch(new RegExp(`The herd of keeper ${keeper} .* keeps serving, untouched`));
  expect(await expectAllAnswered(loads, 20)).toEqual(new Set([String(keeper)]));
  expect(second.processes).toEqual([]);
  await expectUntouched(first, keeper, before);
  // The old version can still adopt it.
  const third = following(first, args, { command: commandOf(old) });
  await third.waitForText(/Adopted the herd/);
  await stopAll(first, third);
});

test('neither does one whose workers die, nor one with an address that another server has', async () => {
  const { run: first, keeper } = await orphaned(otherInstallation());
  const before = filesIn(first);
  const loads = loadsOn(first);
  const dying = following(first, [...args, '--config', 'dies.py'], {});
  writeFileSync(path.join(first.folder, 'dies.py'), 'import os\ndef post_fork(server, worker):\n    os._exit(9)\n');
  await expectError(dying, 'WORKER_BOOT_FAILED');
  const other = await serving(['shop:app'], { files });
  const conflicting = following(first, [...args, '--bind', other.address.replace('http://', '')]);
  await expectError(conflicting, 'ADDRESS_IN_USE');
  expect((await expectAllAnswered(loads, 20)).has(String(keeper))).toBe(true);
  expect([...dying.processes, ...conflicting.processes]).toEqual([]);
  await expectUntouched(first, keeper, before);
  await other.stop();
  await stopAll(first);
});

test('a supervisor that is killed before it has taken over leaves the old herd as it was', async () => {
  const { run: first, keeper } = await orphaned(otherInstallation());
  const before = filesIn(first);
  const loads = loadsOn(first);
  const second = following(first, args, { env: { COWHERD_HOLD: 'hold' } });
  await second.waitForText(/serves until every worker of this herd is ready/);
  const { herd } = await second.status();
  expect(herd.predecessor).toEqual({ keeper, protocol: OTHER_PROTOCOL, phase: 'serving' });
  expect(herd.not_ready_because).toBe(`the herd of keeper ${keeper} serves until every worker of this herd is ready`);
  const table = await second.command('status', '--runtime-dir', first.runtimeDirectory);
  expect(table.stdout).toContain(`The herd of keeper ${keeper} (protocol version ${OTHER_PROTOCOL}) serves until`);
  await expectError(following(first), 'RUNTIME_DIRECTORY_BUSY');
  second.signal('SIGKILL');
  await second.ended;
  await until('its keeper has ended its herd', () => second.processes.length === 0);
  await expectAllAnswered(loads, 20);
  await expectUntouched(first, keeper, before);
  const third = following(first);
  await third.waitForText(/\) has ended/);
  await stopAll(first, second, third);
});

test('a new keeper that is killed before it has taken over leaves the old herd as it was', async () => {
  const { run: first, keeper } = await orphaned(otherInstallation());
  const before = filesIn(first);
  const second = following(first, [...args, '--graceful-timeout', '1'], { env: { COWHERD_HOLD: 'hold' } });
  await second.waitForText(/serves until every worker of this herd is ready/);
  process.kill((await second.status()).herd.keeper.pid ?? 0, 'SIGKILL');
  await expectError(second, 'KEEPER_DIED');
  expect(second.processes).toEqual([]);
  await expectUntouched(first, keeper, before);
  await stopAll(first, second);
});

test('an old keeper that is killed meanwhile leaves its sockets to the new one', async () => {
  // A sync worker checks for its parent twice per timeout.
  const { run: first, keeper } = await orphaned(otherInstallation(), [...args, '--timeout', '4']);
  const second = following(first, args, { env: { COWHERD_HOLD: 'hold' } });
  await second.waitForText(/serves until every worker of this herd is ready/);
  process.kill(keeper, 'SIGKILL');
  await second.waitForText(/ended before this herd could take over; this herd has its sockets/);
  // The old workers notice it, and leave. New connections wait for the new workers.
  await until('its workers have left', () => first.processes.length === 0);
  const waiting = first.addresses.map(async (address) => await fetchFrom(address, '/'));
  writeFileSync(path.join(first.folder, 'hold'), '');
  for (const answer of await Promise.all(waiting)) expect(answer.status).toBe(200);
  await second.waitUntilServing();
  await stopAll(first, second);
});

test('a stop before the new herd has taken over ends both', async () => {
  const { run: first } = await orphaned(otherInstallation());
  const second = following(first, args, { env: { COWHERD_HOLD: 'hold' } });
  await second.waitForText(/serves until every worker of this herd is ready/);
  await stopAll(first, second);
});

test.each([-60, 0, 60])('two herds that are told to end at once leave nothing (%i ms apart)', async (apartMs) => {
  const { run: first, keeper } = await orphaned(otherInstallation());
  const second = following(first, args, { env: { COWHERD_HOLD: 'hold' } });
  await second.waitForText(/serves until every worker of this herd is ready/);
  const both = [keeper, second.pid];
  for (const [index, pid] of (apartMs < 0 ? both.toReversed() : both).entries()) {
    if (index > 0) await sleep(Math.abs(apartMs));
    process.kill(pid, 'SIGTERM');
  }
  await second.ended;
  await until('all is gone', () => first.processes.length === 0 && !existsSync(first.runtimeDirectory));
  await first.expectNothingLeft();
  await second.expectNothingLeft();
});

test('an address that the new herd does not have is closed with the old one', async () => {
  const { run: first } = await orphaned(otherInstallation());
  const [tcp = '', unix = ''] = first.addresses;
  const second = following(first, ['shop:app', '--workers', '2', '--bind', 'unix:shop.sock']);
  await second.waitForText(/\) has ended/);
  expect(await isListening(tcp)).toBe(false);
  expect((await fetchFrom(unix, '/')).status).toBe(200);
  await stopAll(first, second);
});

test('a herd whose keeper cannot lend its listeners is left alone, and the error says what to do', async () => {
  const old = otherInstallation();
  change(old, 'agent/cowherd_agent/keeper/visitors.py', '            "lends": True,\n', '');
  const { run: first, keeper } = await orphaned(old);
  const before = filesIn(first);
  const second = following(first);
  await expectError(second, 'PROTOCOL_MISMATCH');
  expect(second.stderr).toContain(
    `the keeper (pid ${keeper}) of the herd in ${first.runtimeDirectory} speaks version ${OTHER_PROTOCOL},` +
      ` this supervisor ${PROTOCOL_VERSION}, and that keeper cannot hand over its listeners`,
  );
  expect(second.stderr).toContain('`cowherd stop` ends it after the requests in flight; then run this command again');
  await expectUntouched(first, keeper, before);
  await stopAll(first, second);
});

test('a herd with a supervisor is not taken over', async () => {
  const first = await serving(args, { files, command: commandOf(installation()) });
  const second = following(first);
  await expectError(second, 'RUNTIME_DIRECTORY_BUSY');
  expect(second.stderr).toContain('docs/upgrading.md');
  await first.stop();
});
