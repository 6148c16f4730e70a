/** Recycling, timeouts, crash loops and scale: real servers, under load where it matters. */
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cowherd, HELLO, PYTHON, serve, serving, temporaryFolder, type Run } from './support/cowherd.ts';
import { FewestReady, Load } from './support/load.ts';
import { limitedCgroup, takeAway } from './support/memory-cgroup.ts';
import { until } from './support/until.ts';
import { readyPids } from './support/workers.ts';
import { needs, where } from './support/needs.ts';

const files = { 'hello.py': HELLO };

async function counts(run: Run) {
  return (await run.status()).herd.recycling.counts;
}

describe('recycling', () => {
  test('on private growth: a leaking application is bounded, without a request lost or a worker missing', async () => {
    const app = `
import os
leaked = []
def app(environ, start_response):
    leaked.append(b"x" * 2_000_000)
    start_response("200 OK", [])
    return [str(os.getpid()).encode()]
`;
    const run = await serving(['leaky:app', '--workers', '2', '--recycle-private', '80M', '--recycle-samples', '2'], {
      files: { 'leaky.py': app },
    });
    const before = await readyPids(run);
    const fewest = new FewestReady(run);
    const load = new Load(run, '/', 2, 100);
    let because: string | null = null;
    await until(
      () => `both are replaced:\n${run.stderr}`,
      async () => {
        const { herd, workers } = await run.status();
        because ??= workers.find((worker) => worker.replace_because !== null)?.replace_because ?? null;
        return herd.recycling.counts.private >= 2 && workers.every((worker) => !before.includes(worker.pid));
      },
      60_000,
    );
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(await fewest.stop()).toBeGreaterThanOrEqual(2);
    expect(because).toMatch(/^[\d.]+ MiB of private memory, recycle_private is 80.0 MiB$/);
    expect(run.messages.some((message) => /^Worker \d+ \(slot \d\) is to be replaced: /.test(message))).toBe(true);
    expect((await run.status()).herd.recycling.stopped).toEqual([]);
    await run.stop();
  });

  test('after so many requests, with jitter, under load', async () => {
    const args = ['--workers', '2', '-k', 'gthread', '--threads', '2'];
    const run = await serving(['hello:app', ...args, '--max-requests', '150', '--max-requests-jitter', '100'], {
      files,
    });
    const fewest = new FewestReady(run);
    const load = new Load(run, '/', 4, 5);
    await until(
      () => `five were replaced:\n${run.stderr}`,
      async () => (await counts(run)).requests >= 5,
      60_000,
    );
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(await fewest.stop()).toBeGreaterThanOrEqual(2);
    expect(load.texts.size).toBeGreaterThanOrEqual(6);
    const told = [...run.messages.join('\n').matchAll(/: (\d+) requests, max_requests is (\d+) for it/g)];
    for (const [, answered, limit] of told) {
      expect(Number(limit)).toBeGreaterThanOrEqual(150);
      expect(Number(limit)).toBeLessThanOrEqual(250);
      expect(Number(answered)).toBeGreaterThanOrEqual(Number(limit));
    }
    expect(new Set(told.map(([, , limit]) => limit)).size).toBeGreaterThan(1);
    // To be replaced is no death.
    expect(run.messages.filter((message) => /died|Crash loop/.test(message))).toEqual([]);
    await run.stop();
  });

  test('a limit below what a new worker needs stops the rule, and the workers stay', async () => {
    const run = await serving(['hello:app', '--workers', '2', '--recycle-rss', '5M', '--recycle-samples', '1'], {
      files,
    });
    const before = await readyPids(run);
    await run.waitForText(
      /Recycling by recycle_rss is stopped: [\d.]+ MiB of resident memory, recycle_rss is 5.0 MiB; /,
    );
    const { herd } = await run.status();
    expect(herd.recycling.stopped).toMatchObject([{ rule: 'rss' }]);
    expect(herd.recycling.counts.rss).toBe(0);
    expect(await readyPids(run)).toEqual(before);
    expect((await run.get('/')).status).toBe(200);
    await run.stop();
  });
});

const canLimit = ((): boolean => {
  const tried = limitedCgroup(1e9);
  return tried !== null && takeAway(tried.folder);
})();

describe(
  'in a cgroup with a limit',
  needs(where(canLimit, 'needs a memory cgroup that the tests may write to')),
  () => {
    const app = `
import os
kept = []
def app(environ, start_response):
    if environ["QUERY_STRING"]:
        kept.append(b"x" * int(environ["QUERY_STRING"]))
    start_response("200 OK", [])
    return [str(os.getpid()).encode()]
`;

    test('a worker that the kernel kills for lack of memory is told of as that; one that is killed is not', async () => {
      const cgroup = limitedCgroup(400e6)!;
      onTestFinished(() => void takeAway(cgroup.folder));
      // It may take long until so much is written.
      const args = ['burst:app', '--timeout', '0'];
      const run = await serving(args, { files: { 'burst.py': app }, prefix: cgroup.prefix });
      await expect(run.get('/?2000000000')).rejects.toThrow(/socket hang up|ECONNRESET/);
      await run.waitForText(
        /Worker \d+ \(slot 0\) was killed by the kernel: out of memory \(SIGKILL\), with 1 request/,
      );
      const [next] = await until('another one is ready', async () => {
        const pids = await readyPids(run);
        return pids.length === 1 ? pids : null;
      });
      process.kill(next!, 'SIGKILL');
      await run.waitForText(/Worker \d+ \(slot 0\) was ended by SIGKILL"/);
      await run.stop();
    });

    test('`cowherd doctor` tells the limit, what is used, and who was killed for it', async () => {
      const cgroup = limitedCgroup(400e6)!;
      onTestFinished(() => void takeAway(cgroup.folder));
      // It need not look at every interpreter of this machine.
      const env = { HOME: temporaryFolder(), PATH: '/usr/bin:/bin' };
      const doctor = async (): Promise<string> => {
        const run = cowherd(['doctor', '--python', PYTHON], { prefix: cgroup.prefix, env });
        await run.ended;
        return run.stdout;
      };
      expect(await doctor()).toMatch(/cgroup limit 381\.5 MiB, [\d.]+ MiB used/);
      const greedy = cowherd(['--version'], {
        prefix: [...cgroup.prefix, PYTHON, '-c', 'len(bytearray(b"x") * 2_000_000_000)'],
      });
      expect((await greedy.ended).signal).toBe('SIGKILL');
      expect(await doctor()).toMatch(/cgroup limit 381\.5 MiB, [\d.]+ MiB used, 1 processes killed for it/);
    });

    test('the budget of the herd replaces the largest worker before the kernel kills', async () => {
      const cgroup = limitedCgroup(400e6)!;
      onTestFinished(() => void takeAway(cgroup.folder));
      const run = await serving(
        // With the usual number of samples: the growth is in the one by which the largest is chosen.
        ['burst:app', '--workers', '2', '--herd-memory', 'auto', '--timeout', '0'],
        {
          files: { 'burst.py': app },
          prefix: cgroup.prefix,
        },
      );
      const fewest = new FewestReady(run);
      const load = new Load(run, '/', 2, 10);
      const budget = async () => (await run.status()).herd.recycling.budget;
      const before = await until('what is used stands still', async () => {
        const first = await budget();
        await sleep(1500);
        const second = await budget();
        return first !== null && second !== null && Math.abs(second.used - first.used) < 2e6 ? second : null;
      });
      expect(before.used).toBeLessThan(before.limit);
      // Between the budget and the limit.
      const grown = await run.get(`/?${Math.round(before.limit - before.used + 0.02 * 400e6)}`, { lenient: true });
      expect(grown.status, run.stderr).toBe(200);
      await until(
        () => `it is replaced:\n${run.stderr}`,
        async () => {
          const { herd, workers } = await run.status();
          const { counts: by, budget } = herd.recycling;
          const isGone = workers.every((worker) => String(worker.pid) !== grown.text);
          return by.herd_memory === 1 && isGone && budget !== null && budget.used < budget.limit;
        },
      );
      await load.stop();
      expect(load.failures).toEqual([]);
      expect(await fewest.stop()).toBeGreaterThanOrEqual(2);
      expect(run.messages.join('\n')).toMatch(
        /the herd takes [\d.]+ MiB, nine tenths of its cgroup is 343.3 MiB; this worker has most private memory/,
      );
      await run.stop();
    });
  },
);

describe('a worker that is stuck', () => {
  const config = `
def worker_abort(worker):
    worker.log.info("worker_abort in %s", worker.pid)
`;
  const wsgi = `
import re, threading, time
lock = threading.Lock()
def stuck_here(how):
    if how == "/sleep":
        time.sleep(600)
    elif how == "/loop":
        while True:
            pass
    elif how == "/lock":
        lock.acquire()
        lock.acquire()
    elif how == "/regex":
        re.match(r"(a+)+$", "a" * 60 + "b")
def app(environ, start_response):
    stuck_here(environ["PATH_INFO"])
    start_response("200 OK", [])
    return [b"well"]
`;
  const asgi = `
import time
def stuck_here():
    time.sleep(600)
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    if scope["path"] == "/sleep":
        stuck_here()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"well"})
`;

  test.each([
    ['sync', wsgi, ['/sleep', '/loop', '/lock'], true],
    // A thread that holds the interpreter's lock in C: nothing of Python runs any more.
    ['gthread', wsgi, ['/regex'], false],
    ['asgi', asgi, ['/sleep'], false],
  ] as const)('says where before it is killed (%s)', async (workerClass, app, paths, hookRuns) => {
    const run = await serving(['stuck:app', '-k', workerClass, '--timeout', '1', '-c', 'gunicorn.conf.py'], {
      files: { 'stuck.py': app, 'gunicorn.conf.py': config },
    });
    for (const pathname of paths) {
      const [pid] = await readyPids(run);
      expect((await run.get('/')).text).toBe('well');
      await run.get(pathname).catch(() => null);
      await run.waitForText(
        new RegExp(`WORKER TIMEOUT \\(pid:${pid}\\): silent for \\d+ s, 1 request\\(s\\) in flight, 1 `),
      );
      const [stack] = await run.waitForText(new RegExp(`Worker ${pid} \\(slot 0\\) was here:.*`));
      expect(stack).toMatch(/Current thread 0x/);
      expect(stack).toMatch(/stuck\.py\\", line \d+ in stuck_here/);
      expect(run.stderr.includes(`worker_abort in ${pid}`)).toBe(hookRuns);
      await until('another one is ready', async () => {
        const pids = await readyPids(run);
        return pids.length === 1 && !pids.includes(pid!);
      });
    }
    await run.stop();
  });

  test('in its start has the boot timeout, and says where', async () => {
    const hooks = `
import time
def post_worker_init(worker):
    if worker.age == 1:
        time.sleep(600)
`;
    const run = serve(['hello:app', '--boot-timeout', '1', '-c', 'gunicorn.conf.py'], {
      files: { ...files, 'gunicorn.conf.py': hooks },
    });
    await run.waitForText(/WORKER TIMEOUT \(pid:\d+\): not ready [12] s after its fork/);
    await run.waitForText(/was here:.*gunicorn\.conf\.py\\", line 5 in post_worker_init/);
    await run.waitUntilServing();
    await run.stop();
  });
});

test('a crash is told with its stack, and a crash loop with its last error, until it is over', async () => {
  const app = `
import ctypes, os
def app(environ, start_response):
    if environ["PATH_INFO"] == "/crash":
        ctypes.string_at(0)
    start_response("200 OK", [])
    return [b"well"]
`;
  const config = `
import os
def post_worker_init(worker):
    if os.path.exists("broken"):
        raise RuntimeError("no database")
`;
  const run = await serving(['crash:app', '--workers', '2', '-c', 'gunicorn.conf.py'], {
    files: { 'crash.py': app, 'gunicorn.conf.py': config },
  });
  expect((await run.get('/')).text).toBe('well');
  expect((await run.status()).herd.crash_loop).toBeNull();
  await run.get('/crash').catch(() => null);
  const [line] = await run.waitForText(/was here:.*/);
  expect(line).toMatch(/crash\.py\\", line 5 in app/);
  await until('another one is ready', async () => (await run.status()).herd.workers_ready === 2);
  const marker = path.join(run.folder, 'broken');
  writeFileSync(marker, '');
  process.kill((await readyPids(run))[0]!, 'SIGKILL');
  await run.waitForText(
    /Crash loop: 3 workers in a row died soon after their start; the last one exited with status 3/,
  );
  const { herd } = await run.status();
  expect(herd.crash_loop?.deaths).toBeGreaterThanOrEqual(3);
  expect(herd.crash_loop?.last_error).toBe('exited with status 3: RuntimeError: no database');
  const table = await run.command('status', '--runtime-dir', run.runtimeDirectory);
  expect(table.stdout).toMatch(/Crash loop: \d+ deaths, next fork in .*; the last exited with status 3: RuntimeError/);
  // The other one serves on.
  expect((await run.get('/')).text).toBe('well');
  rmSync(marker);
  await run.waitForText(/The crash loop is over after .* deaths; the last one exited with status 3/);
  expect((await run.status()).herd.crash_loop).toBeNull();
  await run.stop();
});

test('the herd is made larger and smaller under load without a request lost', async () => {
  const run = await serving(['hello:app', '--workers', '2'], { files });
  const load = new Load(run, '/', 4);
  const fewest = new FewestReady(run);
  const scale = async (count: number): Promise<void> => {
    const command = cowherd(['scale', String(count), '--runtime-dir', run.runtimeDirectory]);
    expect(await command.ended, command.stderr).toEqual({ status: 0, signal: null });
    await until(`there are ${count}`, async () => {
      const { herd, workers } = await run.status();
      return herd.workers_ready === count && workers.length === count;
    });
  };
  await scale(5);
  await scale(2);
  for (let signals = 0; signals < 3; signals += 1) run.signal('SIGTTIN');
  // Signals of one kind that come together are one.
  await until('there are more', async () => (await run.status()).herd.workers_ready >= 3);
  run.signal('SIGTTOU');
  await scale(2);
  await load.stop();
  expect(load.failures).toEqual([]);
  expect(load.answered).toBeGreaterThan(20);
  expect(await fewest.stop()).toBeGreaterThanOrEqual(2);
  await run.stop();
});
