/** Refork: a warmed worker becomes the mold of the next generation. Real servers, and clients that count requests. */
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { APPS, cowherd, HELLO, serving, temporaryFolder, type Run } from './support/cowherd.ts';
import { FEED, prepareFeed } from './support/feed.ts';
import { isGone, processInfo } from './support/processes.ts';
import { BEST } from './support/this-python.ts';
import { until } from './support/until.ts';

const MIB = 1024 * 1024;

interface WarmingAnswer {
  pid: number;
  /** Whether it is the first answer of this process. */
  first: boolean;
  /** Whether the cache was filled, and the module imported, before this request. */
  cached: boolean;
  imported: boolean;
  /** Frames on the application's stack. */
  depth: number;
}

async function ask(run: Run, pathname: string): Promise<WarmingAnswer> {
  const answer = await run.get(pathname);
  expect(answer.status).toBe(200);
  return JSON.parse(answer.text) as WarmingAnswer;
}

/** Sends a request every few milliseconds, each over a new connection, and keeps all answers and failures. */
class LightLoad {
  readonly answers: WarmingAnswer[] = [];
  readonly failures: string[] = [];
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(run: Run, pathname: string) {
    this.#done = (async () => {
      while (!this.#stop.signal.aborted) {
        try {
          this.answers.push(await ask(run, pathname));
        } catch (error) {
          this.failures.push(String(error));
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }
}

/** Runs `cowherd refork` and waits until it has ended. */
async function refork(run: Run): Promise<{ status: number | null; stderr: string }> {
  const command = cowherd(['refork', '--runtime-dir', run.runtimeDirectory]);
  const { status } = await command.ended;
  return { status, stderr: command.stderr };
}

async function readyPids(run: Run, count: number): Promise<number[]> {
  return await until(`${count} workers, and no others`, async () => {
    const all = await run.workers();
    return all.length === count && all.every((worker) => worker.state === 'ready')
      ? all.map((worker) => worker.pid)
      : null;
  });
}

function kibOf(pid: number, field: string): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(new RegExp(`^${field}: +(\\d+) kB`, 'm').exec(rollup)?.[1] ?? Number.NaN);
}

/** The open files of a process, without the numbers and random parts of their names. */
function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`)
    .map((descriptor) => readlinkSync(`/proc/${pid}/fd/${descriptor}`).replace(/:\[\d+\]$|(?<=wgunicorn-).*/, ''))
    .toSorted();
}

/** PSS of the molds and workers, as the kernel counts it. */
async function herdPss(run: Run): Promise<number> {
  const { molds, workers } = await run.status();
  const pids = [...molds.flatMap((mold) => (mold.pid === null ? [] : [mold.pid])), ...workers.map(({ pid }) => pid)];
  return pids.reduce((sum, pid) => sum + kibOf(pid, 'Pss') * 1024, 0);
}

function lines(run: Run, name: string): string[] {
  const file = path.join(run.folder, name);
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
}

describe('a refork', () => {
  test.each([
    ['sync', 'wsgi', 3, []],
    ['gthread', 'wsgi', 3, ['--threads', '3']],
    ['asgi', 'asgi', 2, []],
    ['uvicorn_worker.UvicornWorker', 'asgi', 2, []],
  ])(
    'shares what a worker has loaded and cached, repeatedly, and no request fails (%s)',
    async (workerClass, app, reforks, options) => {
      const run = await serving(
        [`warming_app:${app}`, '--chdir', APPS, '--workers', '3', '-k', workerClass, ...options],
        {},
      );
      const depth = (await ask(run, '/')).depth;
      // Under freeze, reading an object writes its reference count; so the cache is not read there.
      const pathname = BEST === 'immortal' ? '/read' : '/';
      const warmed = new Set<number>();
      await until('every worker has warmed its cache', async () => {
        for (let request = 0; request < 6; request += 1) warmed.add((await ask(run, '/warm')).pid);
        return warmed.size === 3;
      });
      const pssBefore = await herdPss(run);
      const firstMold = (await run.status()).molds[0]?.pid ?? 0;
      const molds = [firstMold];
      const descriptors: string[][] = [];

      for (let generation = 2; generation <= 1 + reforks; generation += 1) {
        const load = new LightLoad(run, pathname);
        const answer = await refork(run);
        expect(answer, answer.stderr).toMatchObject({ status: 0 });
        const fresh = await readyPids(run, 3);
        await load.end();
        expect(load.failures).toEqual([]);

        const { herd, molds: now, workers } = await run.status();
        expect(herd).toMatchObject({ generation, rollout: null });
        expect(herd.last_rollout).toMatchObject({ kind: 'refork', to: generation, failure: null });
        expect(workers.map((worker) => worker.generation)).toEqual([generation, generation, generation]);
        // The mold is a former worker, and the previous mold has left.
        await until('the old mold has left', () => isGone(molds.at(-1)!));
        expect(now.length).toBe(1);
        expect(now[0]).toMatchObject({ generation, phase: 'ready', policy: BEST });
        expect(processInfo(now[0]!.pid!)?.name).toBe('cowherd-mold');
        if (generation === 2) expect(warmed).toContain(now[0]!.pid);
        molds.push(now[0]!.pid!);
        descriptors.push(openFiles(now[0]!.pid!));

        // Every worker of the new generation had the cache at its first answer.
        const answers = [...load.answers];
        await until('each has answered', async () => {
          answers.push(...(await Promise.all(Array.from({ length: 6 }, () => ask(run, pathname)))));
          return fresh.every((pid) => answers.some((each) => each.pid === pid));
        });
        const first = answers.filter((each) => each.first && fresh.includes(each.pid));
        expect(first.length).toBe(3);
        expect(first.every((each) => each.cached && each.imported)).toBe(true);
        // Stacks don't grow from one generation to the next.
        expect(new Set(answers.filter(({ pid }) => fresh.includes(pid)).map((each) => each.depth))).toEqual(
          new Set([depth]),
        );
        // Little is copied: nothing of the cache of 20 MiB, which was read completely.
        for (const pid of fresh) expect(kibOf(pid, 'Private_Dirty') * 1024).toBeLessThan(8 * MIB);
      }
      expect(new Set(molds).size).toBe(1 + reforks);
      // No file of a worker stays open in a mold.
      expect(descriptors.at(-1)).toEqual(descriptors[0]);
      // Three caches of 20 MiB have become one.
      expect(await herdPss(run)).toBeLessThan(pssBefore - 30 * MIB);
      await run.stop();
    },
  );

  test("works with Django's connections, each of which belongs to a thread that has ended", async () => {
    const folder = temporaryFolder();
    try {
      const run = await serving(['feed.wsgi', '--chdir', FEED, '--workers', '1', '-k', 'gthread', '--threads', '3'], {
        env: prepareFeed(folder),
      });
      const pages = async (): Promise<number[]> =>
        (await Promise.all(Array.from({ length: 12 }, () => run.get('/?user=3')))).map((page) => page.status);
      expect(await pages()).toEqual(Array.from({ length: 12 }, () => 200));
      const [worker] = await readyPids(run, 1);
      // The worker has the database open.
      expect(openFiles(worker!).some((file) => file.includes('feed.sqlite3'))).toBe(true);
      const answer = await refork(run);
      expect(answer, answer.stderr).toMatchObject({ status: 0 });
      expect(openFiles(worker!).some((file) => file.includes('feed.sqlite3'))).toBe(false);
      expect(await pages()).toEqual(Array.from({ length: 12 }, () => 200));
      await run.stop();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('calls the hooks: worker_exit once, in the worker that retires, and no child_exit for it', async () => {
    const config = `
import os
def _note(text):
    with open("hooks", "a") as file:
        file.write(text + "\\n")
on_starting = lambda server: _note(f"on_starting {os.getpid()}")
when_ready = lambda server: _note(f"when_ready {os.getpid()}")
on_reload = lambda server: _note(f"on_reload {os.getpid()}")
before_mold = lambda server: _note(f"before_mold {os.getpid()}")
after_fork = lambda server, worker: _note(f"after_fork {os.getpid()}")
post_fork = lambda server, worker: _note(f"post_fork {os.getpid()}")
worker_exit = lambda server, worker: _note(f"worker_exit {os.getpid()}")
child_exit = lambda server, worker: _note(f"child_exit {worker.pid}")
on_exit = lambda server: _note(f"on_exit {os.getpid()}")
`;
    const run = await serving(['hello:app', '--workers', '1', '-c', 'gunicorn.conf.py'], {
      files: {
        'hello.py': `import atexit, os\natexit.register(lambda: open("exits", "a").write(f"{os.getpid()}\\n"))\n${HELLO}`,
        'gunicorn.conf.py': config,
      },
    });
    const mold = (await run.status()).molds[0]!.pid!;
    const [worker] = await readyPids(run, 1);
    expect((await refork(run)).status).toBe(0);
    await readyPids(run, 1);
    await until('the old mold has left', () => isGone(mold));
    const hooks = lines(run, 'hooks');
    expect(hooks.filter((line) => line.endsWith(` ${worker}`))).toEqual([
      `after_fork ${worker}`,
      `post_fork ${worker}`,
      `worker_exit ${worker}`,
      `before_mold ${worker}`,
    ]);
    expect(hooks.filter((line) => line.startsWith('on_') || line.startsWith('when_'))).toEqual([
      `on_starting ${mold}`,
      `when_ready ${mold}`,
    ]);
    // Its atexit functions run only at the end of the process.
    expect(lines(run, 'exits')).not.toContain(String(worker));
    await run.stop();
    expect(lines(run, 'hooks').filter((line) => line.startsWith('on_exit'))).toEqual([`on_exit ${worker}`]);
    expect(lines(run, 'exits').filter((line) => line === String(worker)).length).toBe(1);
  });
});

describe('a refork that fails leaves the old generation serving', () => {
  test('because of a thread, which is named; once that is gone it works', async () => {
    const app = `
import threading
from pathlib import Path
stop = threading.Event()
def app(environ, start_response):
    if environ["PATH_INFO"] == "/start":
        threading.Thread(target=stop.wait, name="flusher", daemon=True).start()
    start_response("200 OK", [])
    return [b"well"]
`;
    const config = `
from pathlib import Path
def before_mold(server):
    if Path("mended").exists():
        import threads
        threads.stop.set()
`;
    const run = await serving(['threads:app', '--workers', '1', '-c', 'gunicorn.conf.py'], {
      files: { 'threads.py': app, 'gunicorn.conf.py': config },
    });
    await run.get('/start');
    const failed = await refork(run);
    expect(failed.status).toBe(37);
    expect(failed.stderr).toMatch(
      /FORK_UNSAFE: thread 'flusher', which runs threading\.Event\.wait, started at .*threads\.py:7, runs in the mold, and in no worker; stop it in the before_mold/,
    );
    await readyPids(run, 1);
    expect((await run.get('/start')).text).toBe('well');
    expect((await run.status()).herd).toMatchObject({ generation: 1, rollout: null });
    writeFileSync(path.join(run.folder, 'mended'), '');
    expect((await refork(run)).status).toBe(0);
    expect((await run.get('/')).text).toBe('well');
    expect((await run.status()).herd.generation).toBe(3);
    await run.stop();
  });

  test('because of a database that the worker has opened', async () => {
    const app = `
import sqlite3
connection = None
def app(environ, start_response):
    global connection
    connection = connection or sqlite3.connect("shop.db")
    connection.execute("CREATE TABLE IF NOT EXISTS item (name)")
    connection.commit()
    start_response("200 OK", [])
    return [b"well"]
`;
    const run = await serving(['shop:app', '--workers', '1'], { files: { 'shop.py': app } });
    expect((await run.get('/')).text).toBe('well');
    const failed = await refork(run);
    expect(failed.status).toBe(37);
    expect(failed.stderr).toMatch(
      /FORK_UNSAFE: SQLite database .*shop\.db is open \(held in shop\.connection\); close the connection in the before_/,
    );
    expect((await run.get('/')).text).toBe('well');
    await run.stop();
  });

  test('because the worker is killed while it finishes its requests', async () => {
    const app = `
import os, time
def app(environ, start_response):
    start_response("200 OK", [])
    if environ["PATH_INFO"] == "/slow":
        time.sleep(600)
    return [str(os.getpid()).encode()]
`;
    const run = await serving(['slow:app', '--workers', '1'], { files: { 'slow.py': app } });
    const [worker] = await readyPids(run, 1);
    const lost = run.get('/slow').catch(() => null);
    await until('it is busy', async () => (await run.workers()).some((each) => each.in_flight === 1));
    run.signal('SIGUSR2');
    await until('it is to retire', async () => (await run.workers()).some((each) => each.state === 'retiring'));
    expect((await run.get('/')).text).not.toBe(String(worker));
    process.kill(worker!, 'SIGKILL');
    expect(await lost).toBeNull();
    await run.waitForText(/Refork to generation 2 failed: .*was ended by SIGKILL/);
    const now = await readyPids(run, 1);
    expect((await run.get('/')).text).toBe(String(now[0]));
    expect((await run.status()).herd).toMatchObject({ generation: 1, rollout: null });
    expect((await run.status()).molds.length).toBe(1);
    await run.stop();
  });

  test('because its worker class cannot retire: it keeps serving', async () => {
    const run = await serving(['hello:app', '--workers', '2', '-k', 'gevent'], { files: { 'hello.py': HELLO } });
    const failed = await refork(run);
    expect(failed.status).toBe(37);
    expect(failed.stderr).toMatch(/the worker class gevent can't become a mold/);
    await readyPids(run, 2);
    expect((await run.get('/')).status).toBe(200);
    expect(run.messages.some((message) => message.includes('died'))).toBe(false);
    await run.stop();
  });
});
