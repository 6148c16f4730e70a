/**
 * The heap policies in a real herd: what each keeps shared, bounds on garbage, the guard, and how `auto` falls back.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { APPS, HELLO, PYTHON, serving, temporaryFolder, type Run } from './support/cowherd.ts';
import { FEED, prepareFeed } from './support/feed.ts';
import { drum, hammer } from './support/http.ts';
import { memoryAfterNow } from './support/memory.ts';
import { needs } from './support/needs.ts';
import { AVAILABLE, BEST, IMMORTAL_NEEDED } from './support/this-python.ts';
import { until } from './support/until.ts';

const MIB = 1024 * 1024;

const COUNTING = `
played = 0
def app(environ, start_response):
    global played
    played += 1
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(played).encode()]
`;

test.each(AVAILABLE)(
  'under %s warm-up requests are played as often as possible without losing shared memory',
  async (policy) => {
    const run = await serving(['counting:app', '--policy', policy, '--workers', '1', '--warmup', 'GET /'], {
      files: { 'counting.py': COUNTING },
    });
    const times: Record<string, number> = { stock: 1, instagram: 1, freeze: 2, immortal: 10 };
    expect(Number((await run.get('/')).text)).toBe(times[policy]! + 1);
  },
);

describe('each policy serves the bundled application', () => {
  let folder = '';
  let env: Record<string, string> = {};
  beforeAll(() => {
    folder = temporaryFolder();
    env = { ...prepareFeed(folder), FEED_HEAP_MIB: '24' };
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** The part of the memory shared at the fork that a worker still shares after reading every object, 0 to 1. */
  async function sharingAfterReadingAll(policy: string): Promise<number> {
    const run = await serving(
      ['feed.wsgi', '--chdir', FEED, '--policy', policy, '--workers', '2', '--warmup', 'GET /?user=1'],
      { env: { ...env, FEED_CACHE_MIB: '1' } },
    );
    const { herd, molds } = await run.status();
    expect(herd.policy).toBe(policy);
    expect(molds[0]?.policy).toBe(policy);
    const answers = await hammer(run.address, '/?user=2', 20, 4);
    expect(answers.every((answer) => answer.status === 200)).toBe(true);

    const [worker] = await run.workers();
    const atFork = await memoryAfterNow(run, worker!.pid);
    await until('it has read everything', async () => {
      const answer = await run.get('/read-all');
      const { pid, objects } = JSON.parse(answer.text) as { pid: number; objects: number };
      expect(objects).toBeGreaterThan(100_000);
      return pid === worker!.pid;
    });
    const after = await memoryAfterNow(run, worker!.pid);
    await run.stop();
    return after.shared / (atFork.shared + atFork.unshared);
  }

  const kept = new Map<string, number>();
  test.each(AVAILABLE)('%s', async (policy) => {
    kept.set(policy, await sharingAfterReadingAll(policy));
  });

  test('and only immortal keeps sharing what is read', needs(IMMORTAL_NEEDED), () => {
    expect(kept.get('immortal')).toBeGreaterThan(0.9);
    for (const policy of ['stock', 'instagram', 'freeze']) expect(kept.get(policy), policy).toBeLessThan(0.7);
  });
});

test('auto is the default, takes the highest policy that passes, and says what the scout found', async () => {
  const run = await serving(['hello:app'], { files: { 'hello.py': HELLO } });
  const { herd, molds } = await run.status();
  expect(herd.policy).toBe(BEST);
  expect(molds[0]?.report['scout']).toMatchObject({ ok: true, reason: '' });
  expect(run.messages.join('\n')).toMatch(/Mold 1 is ready after [\d.]+ s: heap policy \w+ \(auto\)/);
  await run.stop();
});

describe('auto falls', () => {
  /** Works in the mold, but any process forked from it dies when it reads an immortal object. */
  const NO_IMMORTALS = `
import os, sys
mold = os.getpid()
class Precious: pass
precious = Precious()
def app(environ, start_response):
    if environ["PATH_INFO"] == "/precious" and os.getpid() != mold and sys.getrefcount(precious) > 2**28:
        os.abort()
    start_response("200 OK", [])
    return [b"well"]
`;

  test('to freeze when a scout dies under immortal, with one line that says why', needs(IMMORTAL_NEEDED), async () => {
    const run = await serving(['precious:app', '--warmup', 'GET /precious', '--workers', '2'], {
      files: { 'precious.py': NO_IMMORTALS },
    });
    const { herd, molds } = await run.status();
    expect(herd.policy).toBe('freeze');
    expect(molds.length).toBe(1);
    const why = run.messages.filter((message) => message.includes('failed its self-test'));
    expect(why.length).toBe(1);
    expect(why[0]).toMatch(/Heap policy immortal failed its self-test, trying the next one: .*(SIGABRT|signal 6)/);
    expect(molds[0]?.remarks).toContainEqual({ policy: 'immortal', reason: expect.stringMatching(/SIGABRT|signal 6/) });
    expect((await run.get('/precious')).text).toBe('well');
    // The listeners have survived, and the first attempt has left nothing behind.
    expect((await hammer(run.address, '/', 20, 4)).every((answer) => answer.status === 200)).toBe(true);
    expect(run.processes.length).toBe(5);
    await run.stop();
  });

  test('to stock when no scout survives, and serves', async () => {
    const app = NO_IMMORTALS.replace(' and sys.getrefcount(precious) > 2**28', ' and not serving()').concat(`
def serving():
    return os.path.exists("serving")
`);
    const config = 'def post_worker_init(worker):\n    open("serving", "w").close()\n';
    const run = await serving(['precious:app', '--warmup', 'GET /precious'], {
      files: { 'precious.py': app, 'gunicorn.conf.py': config },
    });
    expect((await run.status()).herd.policy).toBe('stock');
    const tried = run.messages.flatMap((message) => /Heap policy (\w+) failed its self-test/.exec(message)?.[1] ?? []);
    expect(tried).toEqual(AVAILABLE.filter((policy) => policy !== 'stock').toReversed());
    expect((await run.get('/precious')).text).toBe('well');
    await run.stop();
  });
});

describe('garbage', () => {
  const WARM_UP = 2000;

  /** Growth of a worker's RSS in bytes, while it makes cyclic garbage in `requests` requests. */
  async function growth(run: Run, requests: number): Promise<number> {
    expect(await drum(run.address, '/', WARM_UP, 8)).toBe(0);
    const pid = Number((await run.get('/pid')).text);
    const before = await memoryAfterNow(run, pid);
    expect(await drum(run.address, '/', requests - WARM_UP, 8)).toBe(0);
    return (await memoryAfterNow(run, pid)).rss - before.rss;
  }

  const args = ['cycles_app:app', '--chdir', APPS, '-k', 'gthread', '--threads', '8', '--sampling-budget', '10'];

  test.each(AVAILABLE.filter((policy) => policy === 'freeze' || policy === 'immortal'))(
    'of cycles is freed outside requests under %s: 20,000 requests, and memory stays bounded',
    async (policy) => {
      const run = await serving([...args, '--policy', policy]);
      // Each request leaves 20 KiB: 390 MiB in all.
      expect(await growth(run, 20_000)).toBeLessThan(40 * MIB);
      const [worker] = await run.workers();
      expect(worker!.requests).toBe(20_001);
      expect(worker!.collections.outside_requests).toBeGreaterThan(10);
      expect(worker!.collections.objects_freed).toBeGreaterThan(20_000 * 20 * 0.8);
      expect(worker!.collections.inside_requests).toBe(0);
      await run.stop();
    },
  );

  test('grows without collections, which shows that the test above can fail', async () => {
    const run = await serving([...args, '--policy', 'freeze', '--collect-after', '0']);
    expect(await growth(run, 6000)).toBeGreaterThan(60 * MIB);
    const [worker] = await run.workers();
    expect(worker!.collections.outside_requests).toBe(0);
    await run.stop();
  });
});

describe('the guard', () => {
  // parso calls gc.disable() and gc.enable() whenever it reads its cache. It knows this grammar on every interpreter.
  const app = `
import gc, os, tempfile
import parso, parso.cache

source = os.path.join(os.getcwd(), "source.txt")
with open(source, "w") as file:
    file.write("a = 1\\n")
grammar = parso.load_grammar(version="3.10")

def parse():
    parso.cache.parser_cache.clear()
    grammar.parse(path=source, cache=True, cache_path=os.getcwd())

parse()

def app(environ, start_response):
    if environ["PATH_INFO"] == "/parse":
        parse()
    elif environ["PATH_INFO"] == "/steer":
        gc.set_threshold(700)
        gc.unfreeze()
    start_response("200 OK", [])
    return [f"{gc.get_threshold()[0]} {gc.get_freeze_count() > 1000}".encode()]
`;
  const start = async (mode: string): Promise<Run> =>
    await serving(['steering:app', '--policy', 'freeze', '--gc-guard', mode], {
      files: { 'steering.py': app },
    });

  test('names package, file and line of a library that steers the collector, once, and counts its calls', async () => {
    const run = await start('hold');
    for (let request = 0; request < 3; request += 1) expect((await run.get('/parse')).text).toBe('0 True');
    const where = 'import parso.cache; print(parso.cache.__file__, end="")';
    const cache = execFileSync(PYTHON, ['-c', where], { encoding: 'utf8' });
    const lines = readFileSync(cache, 'utf8').split('\n');
    const told = await until('it is told of', () => {
      const found = run.messages.filter((message) => message.startsWith('Guard: ') && message.includes('parso'));
      return found.length >= 2 ? found : null;
    });
    expect(told.length).toBe(2);
    for (const call of ['enable', 'disable']) {
      const line = lines.findIndex((text) => text.trim() === `gc.${call}()`) + 1;
      expect(told.join('\n')).toMatch(
        new RegExp(`gc\\.${call}\\(\\) of parso .* in worker \\d+ \\(.*cache\\.py:${line}\\)`),
      );
    }
    const [worker] = await run.workers();
    expect(worker!.guard.reported).toBe(6);
    expect(worker!.guard.held).toBe(0);
    await run.stop();
  });

  test('blocks calls that would undo the policy', async () => {
    const run = await start('hold');
    expect((await run.get('/steer')).text).toBe('0 True');
    await run.waitForText(/gc\.set_threshold\(\) of steering held off in worker \d+ \([^)]*steering\.py:\d+\)/);
    await run.waitForText(/gc\.unfreeze\(\) of steering held off/);
    expect((await run.workers())[0]!.guard.held).toBe(2);
    await run.stop();
  });

  test('only reports, with report', async () => {
    const run = await start('report');
    expect((await run.get('/steer')).text).toBe('700 False');
    await run.waitForText(/gc\.set_threshold\(\) of steering seen in worker/);
    const { guard } = (await run.workers())[0]!;
    expect(guard.held).toBe(0);
    // The two calls, and the automatic collections that they cause.
    expect(guard.reported).toBeGreaterThanOrEqual(2);
    await run.stop();
  });

  test('leaves the gc module alone, with off', async () => {
    const run = await start('off');
    expect((await run.get('/steer')).text).toBe('700 False');
    await run.stop();
    expect(run.stderr).not.toContain('Guard');
  });
});

test.each(AVAILABLE)('under %s all cleanup of the application runs', async (policy) => {
  const app = `
import atexit, os
def note():
    with open("hooks", "a") as file:
        file.write(f"{os.getpid()}\\n")
${HELLO}`;
  const config = `
def post_worker_init(worker):
    import atexit, noting, os
    atexit.register(noting.note)
    noting.left_open = open(f"left-open-{os.getpid()}", "w", buffering=1024 * 1024)
    noting.left_open.write("written")
`;
  const run = await serving(['noting:app', '--workers', '2', '--policy', policy], {
    files: { 'noting.py': app, 'gunicorn.conf.py': config },
  });
  const pids = (await run.workers()).map((worker) => String(worker.pid));
  await run.stop();
  const text = (name: string): string => readFileSync(path.join(run.folder, name), 'utf8');
  expect(text('hooks').trimEnd().split('\n').toSorted()).toEqual(pids.toSorted());
  // Files left open are found among a worker's own objects. Under instagram these can't be told from the mold's
  // objects, and looking at all of them would copy them.
  if (policy === 'instagram') return;
  expect(pids.map((pid) => text(`left-open-${pid}`))).toEqual(['written', 'written']);
});
