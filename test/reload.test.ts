/** Reload, rollback and what becomes of them when the new code is bad. Real servers, and clients that count. */
import { existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RolloutReport } from '../src/supervisor/control/status.ts';
import { cowherd, PYTHON, serving, temporaryFolder, type Run } from './support/cowherd.ts';
import { fetchFrom } from './support/http.ts';
import { FewestReady, Load } from './support/load.ts';
import { until } from './support/until.ts';
import { needs, where } from './support/needs.ts';

let versions = 0;

/** CAP_SYS_NICE, bit 23 of the effective capabilities (proc_pid_status(5)). */
function mayRaisePriorities(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> 23n) & 1n) === 1n;
}

/** An application that answers with its version and its process. */
function version(name: string): string {
  versions += 1;
  // Of another length each time: Python takes a source of the same size and second for unchanged.
  return `
# ${'-'.repeat(versions)}
import os
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"${name} " + str(os.getpid()).encode()]
`;
}

function write(run: Run, name: string, text: string): void {
  writeFileSync(path.join(run.folder, name), text);
}

async function versionOf(run: Run): Promise<string> {
  return (await run.get('/')).text.split(' ')[0] ?? '';
}

/** Runs a command of the herd's that may fail. */
async function order(run: Run, ...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const command = cowherd([...args, '--runtime-dir', run.runtimeDirectory]);
  const { status } = await command.ended;
  return { status, stdout: command.stdout, stderr: command.stderr };
}

async function ended(run: Run, generation: number): Promise<RolloutReport> {
  return await until(
    () => `the rollout to generation ${generation} ends:\n${run.stderr}`,
    async () => {
      const { herd } = await run.status();
      return herd.last_rollout?.to === generation ? herd.last_rollout : null;
    },
  );
}

/** The versions that answered. */
function versionsIn(load: Load): Set<string> {
  return new Set([...load.texts].map((text) => text.split(' ')[0] ?? ''));
}

describe('a reload', () => {
  test.each(['sync', 'gthread'])('exchanges the code under load without losing a request (%s)', async (workerClass) => {
    const run = await serving(['shop:app', '--workers', '3', '-k', workerClass], {
      files: { 'shop.py': version('one') },
    });
    const client = new Load(run, '/', 4);
    const fewestReady = new FewestReady(run);
    write(run, 'shop.py', version('two'));
    const reload = await order(run, 'reload', '--json');
    expect(reload, reload.stderr).toMatchObject({ status: 0 });
    expect(JSON.parse(reload.stdout)).toMatchObject({ kind: 'reload', from: 1, to: 2, failure: null });
    write(run, 'shop.py', version('three'));
    run.signal('SIGHUP');
    expect(await ended(run, 3)).toMatchObject({ by: 'SIGHUP', failure: null });
    await client.stop();
    expect(client.failures).toEqual([]);
    expect(versionsIn(client).has('two')).toBe(true);
    expect(await fewestReady.stop()).toBe(3);
    expect(await versionOf(run)).toBe('three');
    const { herd, molds, workers } = await run.status();
    expect(herd).toMatchObject({ generation: 3, workers_wanted: 3, workers_ready: 3, rollout: null });
    expect(workers.filter((worker) => worker.state === 'ready').map((worker) => worker.generation)).toEqual([3, 3, 3]);
    // The previous one stays for a rollback; the one before it does not.
    await until('generation 1 has left', async () => !(await run.status()).molds.some((mold) => mold.generation === 1));
    expect(molds.some((mold) => mold.generation === 2)).toBe(true);
    await run.stop();
  });

  test.each([
    ['cannot be imported', 'raise ValueError("the new code is broken")\n', /ValueError: the new code is broken/],
    ['has no application', 'other = 1\n', /Failed to find attribute 'app'/],
    [
      'has begun what hangs in workers',
      `from multiprocessing.pool import ThreadPool\npool = ThreadPool(1)\n${version('two')}`,
      /a call to the pool waits for ever/,
    ],
    ['ends the process at its import', 'import os\nos._exit(7)\n', /exited with status 7/],
  ])('to code that %s leaves the old generation serving, and says why', async (_what, code, why) => {
    const run = await serving(['shop:app', '--workers', '2'], { files: { 'shop.py': version('one') } });
    const before = (await run.workers()).map((worker) => worker.pid);
    const client = new Load(run, '/', 2);
    write(run, 'shop.py', code);
    const reload = await order(run, 'reload');
    expect(reload.status).toBe(37);
    expect(reload.stderr).toMatch(/Error ROLLOUT_FAILED/);
    expect(reload.stderr).toMatch(why);
    expect((await run.status()).herd.last_rollout?.failure).toMatch(why);
    expect(run.messages.join('\n')).toMatch(/Reload to generation 2 failed: .*generation 1 keeps serving/);
    await client.stop();
    expect(client.failures).toEqual([]);
    expect((await run.workers()).map((worker) => worker.pid)).toEqual(before);
    // The next one, with good code, works.
    write(run, 'shop.py', version('three'));
    expect((await order(run, 'reload')).status).toBe(0);
    expect(await versionOf(run)).toBe('three');
    await run.stop();
  });

  test(
    'loads in the background, and its workers have the usual priority',
    needs(where(mayRaisePriorities(), 'needs CAP_SYS_NICE')),
    async () => {
      const app = (name: string): string => `
import os
AT_IMPORT = os.getpriority(os.PRIO_PROCESS, 0)
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"${name} %d %d" % (AT_IMPORT, os.getpriority(os.PRIO_PROCESS, 0))]
`;
      const run = await serving(['shop:app', '--workers', '1'], { files: { 'shop.py': app('one') } });
      const usual = os.getPriority();
      expect((await run.get('/')).text).toBe(`one ${usual} ${usual}`);
      write(run, 'shop.py', app('second'));
      expect((await order(run, 'reload')).status).toBe(0);
      expect((await run.get('/')).text).toBe(`second ${os.constants.priority.PRIORITY_LOW} ${usual}`);
      const { molds } = await run.status();
      expect(molds.map((mold) => os.getPriority(mold.pid ?? 0))).toEqual([usual, usual]);
      await run.stop();
    },
  );

  test('whose first worker dies leaves the old generation serving', async () => {
    const run = await serving(['shop:app', '--workers', '2', '-c', 'gunicorn.conf.py'], {
      files: { 'shop.py': version('one'), 'gunicorn.conf.py': '' },
    });
    write(run, 'gunicorn.conf.py', 'def post_fork(server, worker):\n    raise RuntimeError("no database")\n');
    const reload = await order(run, 'reload');
    expect(reload.status).toBe(37);
    expect(reload.stderr).toMatch(/worker \d+ of the new generation exited with status 3.*no database/);
    expect(await versionOf(run)).toBe('one');
    await until('only generation 1 is left', async () => (await run.status()).molds.length === 1);
    await run.stop();
  });

  test('takes up new settings and new binds, and gives old ones back', async () => {
    const config = (workers: number, ...binds: string[]): string =>
      `workers = ${workers}\nbind = ${JSON.stringify(binds)}\n` +
      'def on_starting(server):\n    print("starting", flush=True)\n' +
      'def on_reload(server):\n    print("reloaded with", server.cfg.workers, flush=True)\n';
    const [kept, added] = [await freePort(), await freePort()];
    // In the file, so that a reload can change it.
    const run = cowherd(['serve', '--python', PYTHON, '--runtime-dir', 'run', 'shop:app'], {
      files: { 'shop.py': version('one'), 'gunicorn.conf.py': config(1, `127.0.0.1:${kept}`, 'unix:old.sock') },
    });
    await run.waitUntilServing();
    const old = path.join(run.folder, 'old.sock');
    expect((await fetchFrom(`unix:${old}`, '/')).status).toBe(200);
    write(run, 'gunicorn.conf.py', config(3, `127.0.0.1:${kept}`, `127.0.0.1:${added}`));
    expect((await order(run, 'reload')).status).toBe(0);
    expect((await run.status()).herd).toMatchObject({
      workers_wanted: 3,
      listeners: [`http://127.0.0.1:${kept}`, `http://127.0.0.1:${added}`],
    });
    for (const port of [kept, added]) expect((await fetchFrom(`http://127.0.0.1:${port}`, '/')).status).toBe(200);
    // A rollback would need it; the rollout after this one lets it go.
    expect(existsSync(old)).toBe(true);
    expect((await order(run, 'reload')).status).toBe(0);
    await until('the old socket is gone', () => !existsSync(old));
    expect(run.stdout.match(/starting/g)?.length).toBe(1);
    expect(run.stdout.match(/reloaded with 3/g)?.length).toBe(2);
    await run.stop();
  });

  test('to an address that is in use leaves the old generation serving', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const mine = await freePort();
    const run = cowherd(['serve', '--python', PYTHON, '--runtime-dir', 'run', 'shop:app'], {
      files: { 'shop.py': version('one'), 'gunicorn.conf.py': `bind = "127.0.0.1:${mine}"\n` },
    });
    await run.waitUntilServing();
    write(run, 'gunicorn.conf.py', `bind = ["127.0.0.1:${mine}", "127.0.0.1:${port}"]\n`);
    const reload = await order(run, 'reload');
    expect(reload.status).toBe(37);
    expect(reload.stderr).toMatch(/ADDRESS_IN_USE/);
    expect(await versionOf(run)).toBe('one');
    await new Promise((resolve) => taken.close(resolve));
    expect((await order(run, 'reload')).status).toBe(0);
    await run.stop();
  });

  describe('that cannot be carried out costs nothing', () => {
    /** A herd of the project in a folder with a virtual environment of its own, and a client that counts. */
    async function project(conf: string): Promise<{ run: Run; site: string; load: Load }> {
      const folder = temporaryFolder();
      const site = path.join(folder, 'site');
      mkdirSync(site);
      writeFileSync(path.join(site, 'shop.py'), version('one'));
      writeFileSync(path.join(site, 'gunicorn.conf.py'), conf);
      symlinkSync(path.dirname(path.dirname(PYTHON)), path.join(site, '.venv'));
      const runtimeDirectory = path.join(folder, 'run');
      const run = cowherd(['serve', 'shop:app', '--workers', '2', '--runtime-dir', runtimeDirectory], {
        cwd: site,
        runtimeDirectory,
      });
      await run.waitUntilServing();
      return { run, site, load: new Load(run, '/', 2, 10) };
    }

    async function goesOn(run: Run, load: Load, keeper: number | null, generation = 1): Promise<void> {
      await load.stop();
      expect(load.failures).toEqual([]);
      expect(load.answered).toBeGreaterThan(0);
      const { herd } = await run.status();
      expect(herd).toMatchObject({ phase: 'serving', workers_ready: 2, generation });
      expect(herd.keeper.pid).toBe(keeper);
    }

    test.each([
      ['a port beyond all ports', `bind = ["127.0.0.1:0", "127.0.0.1:99999"]`],
      ['a backlog beyond all numbers', `bind = ["127.0.0.1:0", "127.0.0.2:0"]\nbacklog = 3000000000`],
      ['a umask beyond all modes', `bind = ["127.0.0.1:0", "unix:new.sock"]\numask = 0o7777777777777777`],
    ])('%s', async (_what, conf) => {
      const { run, site, load } = await project('bind = "127.0.0.1:0"');
      const keeper = (await run.status()).herd.keeper.pid;
      writeFileSync(path.join(site, 'gunicorn.conf.py'), conf);
      const reload = await order(run, 'reload');
      expect(reload.status, reload.stderr).toBe(37);
      await goesOn(run, load, keeper);
      await run.stop();
    });

    test.each([
      ['a virtual environment that is away', '.venv', 'No such file or directory'],
      ['a folder that is away', '.', 'No such file or directory'],
    ])('%s', async (_what, away, reason) => {
      const { run, site, load } = await project('bind = "127.0.0.1:0"');
      const keeper = (await run.status()).herd.keeper.pid;
      const moved = path.resolve(site, away);
      renameSync(moved, `${moved}.away`);
      const reload = await order(run, 'reload');
      expect(reload.status).toBe(37);
      expect(reload.stderr).toContain(reason);
      await goesOn(run, load, keeper);
      renameSync(`${moved}.away`, moved);
      expect((await order(run, 'reload')).status).toBe(0);
      await run.stop();
    });

    test('a mold that dies while the virtual environment is away: another one is made when it is back', async () => {
      const { run, site, load } = await project('bind = "127.0.0.1:0"');
      const { herd, molds } = await run.status();
      renameSync(path.join(site, '.venv'), path.join(site, '.away'));
      process.kill(molds[0]!.pid!, 'SIGKILL');
      await run.waitForText(/could not be started: No such file or directory/);
      await goesOn(run, load, herd.keeper.pid, 2);
      renameSync(path.join(site, '.away'), path.join(site, '.venv'));
      await until('there is a mold', async () => (await run.status()).molds.some(({ phase }) => phase === 'ready'));
      await run.stop();
    });
  });

  test('that is asked for while one is under way follows it, with the newest code', async () => {
    const slow = (name: string): string => `import time\ntime.sleep(1)\n${version(name)}`;
    const run = await serving(['shop:app', '--workers', '2'], { files: { 'shop.py': version('one') } });
    write(run, 'shop.py', slow('two'));
    run.signal('SIGHUP');
    await until('it loads', async () => (await run.status()).molds.some((mold) => mold.phase === 'loading'));
    write(run, 'shop.py', slow('three'));
    run.signal('SIGHUP');
    expect(await ended(run, 3)).toMatchObject({ failure: null });
    expect(await versionOf(run)).toBe('three');
    await run.stop();
  });

  test('while the herd stops is refused, and a stop during a reload leaves nothing behind', async () => {
    const slow = `import time\ntime.sleep(30)\n${version('two')}`;
    const run = await serving(['shop:app', '--workers', '2'], { files: { 'shop.py': version('one') } });
    write(run, 'shop.py', slow);
    expect((await order(run, 'reload', '--no-wait')).status).toBe(0);
    await until('it loads', async () => (await run.status()).molds.some((mold) => mold.phase === 'loading'));
    await run.stop();
  });
});

describe('a rollback', () => {
  test('returns to the generation before, once', async () => {
    const run = await serving(['shop:app', '--workers', '2'], { files: { 'shop.py': version('one') } });
    const early = await order(run, 'rollback');
    expect(early.status).toBe(36);
    expect(early.stderr).toMatch(/the previous generation is no longer there/);
    write(run, 'shop.py', version('two'));
    expect((await order(run, 'reload')).status).toBe(0);
    const client = new Load(run, '/', 2);
    expect((await order(run, 'rollback')).status).toBe(0);
    await client.stop();
    expect(client.failures).toEqual([]);
    // What is on the disk does not matter: the mold has loaded it long ago.
    expect(await versionOf(run)).toBe('one');
    expect((await run.status()).herd.generation).toBe(1);
    expect((await order(run, 'rollback')).status).toBe(36);
    await run.stop();
  });

  test('takes back a reload that is under way', async () => {
    const run = await serving(['shop:app', '--workers', '2'], { files: { 'shop.py': version('one') } });
    write(run, 'shop.py', `import time\ntime.sleep(30)\n${version('two')}`);
    expect((await order(run, 'reload', '--no-wait')).status).toBe(0);
    await until('it loads', async () => (await run.status()).molds.some((mold) => mold.phase === 'loading'));
    expect((await order(run, 'rollback')).status).toBe(0);
    expect(await ended(run, 2)).toMatchObject({ failure: 'taken back by cowherd rollback' });
    await until('its mold has left', async () => (await run.status()).molds.length === 1);
    expect(await versionOf(run)).toBe('one');
    await run.stop();
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
