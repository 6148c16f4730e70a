/** gunicorn's own command `gunicornc`, beside a server of gunicorn's and at a herd. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HELLO, PYTHON, serve, serving, temporaryFolder, type Run } from './support/cowherd.ts';
import { installedGunicorn } from './support/gunicorn-release.ts';
import { needs, ROOT_NEEDED, where } from './support/needs.ts';
import { until } from './support/until.ts';

const COMMAND = path.join(path.dirname(PYTHON), 'gunicornc');
const HAS_IT = where(existsSync(COMMAND), 'needs gunicorn 25.1 or newer');

const files = { 'hello.py': HELLO };
const ARGS = ['hello:app', '--workers', '2'];

interface Said {
  status: number | null;
  out: string;
  err: string;
}

/** Asynchronously: the herd's log must be read meanwhile. */
async function gunicornc(socket: string, ...words: string[]): Promise<Said> {
  return await new Promise((resolve) => {
    const child = execFile(COMMAND, ['--socket', socket, ...words], (_error, out, err) =>
      resolve({ status: child.exitCode, out, err }),
    );
  });
}

/** The data of the reply. */
async function ask<Data = Record<string, unknown>>(socket: string, command: string): Promise<Data> {
  const said = await gunicornc(socket, '--json', '--command', command);
  expect(said, command).toMatchObject({ status: 0, err: '' });
  return JSON.parse(said.out) as Data;
}

/** Where gunicorn has it by default: a test's run has its own XDG_RUNTIME_DIR. */
function socketOf(run: Run): string {
  return path.join(run.folder, 'gunicorn.ctl');
}

interface Workers {
  workers: { pid: number; age: number; booted: boolean; last_heartbeat: number }[];
  count: number;
}

async function ready(run: Run, count: number): Promise<number[]> {
  return await until(`${count} are ready, and no others there`, async () => {
    const workers = await run.workers();
    const pids = workers.filter((each) => each.state === 'ready').map((each) => each.pid);
    return pids.length === count && workers.length === count ? pids : null;
  });
}

/** The names and types of all fields, however deep; of a list, those of its first item. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, shapeOf(field)]));
}

describe('a herd', needs(HAS_IT), () => {
  test("answers in gunicorn's shapes, with the data of the herd", async () => {
    const run = await serving([...ARGS, '--timeout', '77', '--name', 'shop'], { files });
    const theirs = await gunicornOf(run.folder);
    for (const what of ['all', 'workers', 'stats', 'listeners', 'config', 'dirty']) {
      const [ours, gunicorns] = [await ask(socketOf(run), `show ${what}`), await ask(theirs, `show ${what}`)];
      expect(shapeOf(ours), what).toEqual(shapeOf(gunicorns));
      const text = await gunicornc(socketOf(run), '--command', `show ${what}`);
      expect(text.status, what).toBe(0);
    }
    const pids = await ready(run, 2);
    const { herd } = await run.status();
    const { workers, count } = await ask<Workers>(socketOf(run), 'show workers');
    expect(count).toBe(2);
    expect(workers.map(({ pid }) => pid).toSorted()).toEqual(pids.toSorted());
    expect(workers.map(({ age, booted }) => [age, booted])).toEqual([
      [1, true],
      [2, true],
    ]);
    const keeper = herd.keeper.pid ?? 0;
    const { listeners } = await ask<{ listeners: { fd: number; address: string; type: string }[] }>(
      socketOf(run),
      'show listeners',
    );
    expect(listeners).toEqual([{ address: run.address, fd: expect.any(Number) as number, type: 'tcp' }]);
    expect(existsSync(`/proc/${keeper}/fd/${listeners[0]?.fd}`)).toBe(true);
    const config = { bind: ['127.0.0.1:0'], workers: 2, timeout: 77, proc_name: 'shop', preload_app: true };
    expect(await ask(socketOf(run), 'show config')).toMatchObject(config);
    const stats = { pid: run.pid, workers_current: 2, workers_target: 2, workers_spawned: 2, workers_killed: 0 };
    expect(await ask(socketOf(run), 'show stats')).toMatchObject({ ...stats, reloads: 0 });
    await run.stop();
  });

  test('takes orders', async () => {
    const run = serve([...ARGS, '--error-logfile', 'error.log'], { files });
    const log = path.join(run.folder, 'error.log');
    await until('it serves', () => existsSync(log) && readFileSync(log, 'utf8').includes('every worker is ready'));
    const at = socketOf(run);
    const before = await ready(run, 2);
    expect(await ask(at, 'worker add 2')).toEqual({ added: 2, previous: 2, total: 4 });
    await ready(run, 4);
    expect(await ask(at, 'worker remove')).toEqual({ removed: 1, previous: 4, total: 3 });
    const three = await ready(run, 3);
    const [victim = 0] = three;
    expect(await ask(at, `worker kill ${victim}`)).toEqual({ success: true, killed: victim });
    await until('it is replaced', async () => !(await ready(run, 3)).includes(victim));
    expect(await ask(at, `worker kill ${victim}`)).toEqual({ success: false, error: `Worker ${victim} not found` });
    const old = await ready(run, 3);
    expect(await ask(at, 'reload')).toEqual({ status: 'reloading' });
    await until('all are new', async () => {
      const { herd } = await run.status();
      return herd.generation === 2 && herd.rollout === null;
    });
    // The setting holds again, as with gunicorn.
    const after = await until('of the new generation', async () => {
      const pids = (await run.workers()).filter((each) => each.generation === 2).map((each) => each.pid);
      return pids.length > 0 && (await run.workers()).length === pids.length ? pids : null;
    });
    expect(after.some((pid) => old.includes(pid) || before.includes(pid))).toBe(false);
    expect(await ask(at, 'show stats')).toMatchObject({ reloads: 1 });
    renameSync(log, `${log}.1`);
    expect(await ask(at, 'reopen')).toEqual({ status: 'reopening' });
    await until('the log is there again', () => existsSync(log));
    expect(await ask(at, 'shutdown')).toEqual({ status: 'shutting_down', mode: 'graceful' });
    expect(await run.ended).toEqual({ status: 0, signal: null });
    await run.expectNothingLeft();
    expect(readFileSync(log, 'utf8')).toContain('Stopping (gunicornc)');
  });

  test('refuses what it does not know, in the words of the protocol, and goes on', async () => {
    const run = await serving(ARGS, { files });
    const at = socketOf(run);
    const said = await gunicornc(at, '--command', 'reboot now');
    expect(said).toEqual({ status: 1, out: '', err: 'Error: Invalid argument: Unknown command: reboot\n' });
    const dirty = { success: false, error: 'Dirty arbiter not running' };
    expect(await ask(at, 'dirty add')).toEqual(dirty);
    const garbage = connect(at);
    garbage.write('GET / HTTP/1.1\r\n\r\n');
    await once(garbage, 'close');
    expect((await ask<Workers>(at, 'show workers')).count).toBe(2);
    expect((await run.get('/')).status).toBe(200);
    await run.stop();
  });

  test('is reached interactively', async () => {
    const run = await serving(ARGS, { files });
    const shell = spawn(COMMAND, ['--socket', socketOf(run)], { env: { ...process.env, HOME: run.folder } });
    let out = '';
    shell.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    shell.stdin.end('show stats\nworker add\nquit\n');
    expect(await once(shell, 'exit')).toEqual([0, null]);
    expect(out).toContain(`PID:              ${run.pid}`);
    expect(out).toContain('"total": 3');
    await run.stop();
  });

  test('answers the next supervisor as well, and the file goes with the herd', async () => {
    const first = await serving(ARGS, { files });
    const at = socketOf(first);
    await ready(first, 2);
    first.signal('SIGKILL');
    await first.ended;
    const env = { XDG_RUNTIME_DIR: first.folder };
    const second = serve(ARGS, { cwd: first.folder, runtimeDirectory: first.runtimeDirectory, env });
    await second.waitUntilServing();
    await until('it listens', async () => (await gunicornc(at, '--command', 'help')).status === 0);
    const { workers } = await ask<Workers>(at, 'show workers');
    expect(workers.map(({ age }) => age)).toEqual([1, 2]);
    expect(await ask(at, 'show stats')).toMatchObject({ pid: second.pid });
    second.signal('SIGKILL');
    await second.ended;
    expect(existsSync(at)).toBe(true);
    await first.command('stop', '--runtime-dir', first.runtimeDirectory);
    await first.expectNothingLeft();
  });
});

describe('the socket', needs(HAS_IT), () => {
  test('is where the settings want it, with their mode, and moves at a reload', async () => {
    const conf = (name: string): string => `control_socket = "${name}"\ncontrol_socket_mode = 0o660\n`;
    const run = await serving(ARGS, { files: { ...files, 'gunicorn.conf.py': conf('first.ctl') } });
    expect(existsSync(socketOf(run))).toBe(false);
    const [first, second] = [path.join(run.folder, 'first.ctl'), path.join(run.folder, 'sub', 'second.ctl')];
    expect(statSync(first).mode & 0o777).toBe(0o660);
    writeFileSync(path.join(run.folder, 'gunicorn.conf.py'), conf('sub/second.ctl'));
    expect(await ask(first, 'reload')).toEqual({ status: 'reloading' });
    await until('it has moved', () => existsSync(second) && !existsSync(first));
    expect(await ask(second, 'show config')).toMatchObject({ control_socket: 'sub/second.ctl' });
    await run.stop();
  });

  test('is not there with --no-control-socket', async () => {
    const run = await serving([...ARGS, '--no-control-socket'], { files });
    expect(existsSync(socketOf(run))).toBe(false);
    expect(run.messages.join('\n')).not.toMatch(/[Cc]ontrol socket/);
    await run.stop();
  });

  test('of another server is left to that one; a herd takes it when it has gone', async () => {
    const first = await serving(ARGS, { files });
    const at = socketOf(first);
    const env = { XDG_RUNTIME_DIR: first.folder };
    const second = await serving(ARGS, { files, env });
    expect(second.messages).toContain(`gunicornc does not reach this herd: another server listens at ${at}`);
    expect(await ask(at, 'show stats')).toMatchObject({ pid: first.pid });
    await first.stop();
    await until('the second has it', async () => {
      const said = await gunicornc(at, '--json', '--command', 'show stats');
      return said.status === 0 && said.out.includes(`"pid": ${second.pid}`);
    });
    await second.stop();
    expect(existsSync(at)).toBe(false);
  });

  test('lets no other user in', needs(ROOT_NEEDED), async () => {
    const run = await serving(ARGS, { files });
    spawnSync('chmod', ['755', run.folder]);
    const program = `
import os, socket, sys
os.setgid(65534); os.setuid(65534)
socket.socket(socket.AF_UNIX).connect(sys.argv[1])`;
    const tried = spawnSync('python3', ['-c', program, socketOf(run)], { encoding: 'utf8' });
    expect(tried.stderr).toContain('PermissionError');
    await run.stop();
  });
});

test.each(['25.3.0', '26.2.0'])('gunicornc of gunicorn %s reaches a herd with that gunicorn', async (release) => {
  const env = { PYTHONPATH: installedGunicorn(release) };
  const run = await serving(ARGS, { files, env });
  const words = ['-m', 'gunicorn.ctl.cli', '--socket', socketOf(run), '--json', '--command', 'show stats'];
  const said = spawnSync(PYTHON, words, { encoding: 'utf8', env: { ...process.env, ...env } });
  expect(JSON.parse(said.stdout)).toMatchObject({ pid: run.pid, workers_current: 2, dirty_arbiter_pid: null });
  await run.stop();
});

test('gunicorn 24 has none, and nothing is made', async () => {
  const run = await serving(ARGS, { files, env: { PYTHONPATH: installedGunicorn('24.1.1') } });
  expect(run.messages.join('\n')).toContain('with gunicorn 24.1.1');
  expect(run.messages.join('\n')).not.toMatch(/[Cc]ontrol socket|gunicornc/);
  expect(existsSync(socketOf(run))).toBe(false);
  await run.stop();
});

/** A server of gunicorn's own; returns its control socket. */
async function gunicornOf(folder: string): Promise<string> {
  const at = path.join(temporaryFolder(), 'theirs.ctl');
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address() as AddressInfo;
  free.close();
  const words = ['-m', 'gunicorn', ...ARGS, '--bind', `127.0.0.1:${port}`, '--control-socket', at];
  const server = spawn(PYTHON, words, { cwd: folder, stdio: 'ignore' });
  const ended = once(server, 'exit');
  onTestFinished(async () => {
    server.kill('SIGTERM');
    await ended;
  });
  await until('gunicorn listens', async () => (await gunicornc(at, '--command', 'help')).status === 0);
  await until('its workers are there', async () => (await ask<Workers>(at, 'show workers')).count === 2);
  return at;
}
