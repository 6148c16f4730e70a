/**
 * The end of a herd: all cleanup of the application runs, requests in flight are answered, and nothing is left behind.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { catalogue } from '../src/base/error-catalogue.ts';
import { cowherd, serve, serving, type Run } from './support/cowherd.ts';
import { fetchFrom } from './support/http.ts';
import { until } from './support/until.ts';

const WORKERS = 3;

/**
 * Every kind of cleanup: an atexit hook registered at import, one registered in the worker, a file left open with its
 * text in the buffer, a thread that must be waited for, the work of a thread pool, and stdout. Each kind appends a line
 * with the worker's pid to its own file.
 */
const CLEANUP = `
import atexit, os, sys, threading, time
from concurrent.futures import ThreadPoolExecutor

def note(name):
    with open(name, "a") as file:
        file.write(f"{os.getpid()}\\n")

atexit.register(note, "hook-of-import")

def in_worker():
    atexit.register(note, "hook-of-worker")
    global buffered, pool
    buffered = open(f"buffered-{os.getpid()}", "w", buffering=1024 * 1024)
    buffered.write(f"{os.getpid()}\\n")
    sys.stdout.write(f"stdout of {os.getpid()}\\n")

    def finish(name):
        time.sleep(0.2)
        note(name)
    pool = ThreadPoolExecutor(1)
    pool.submit(finish, "work-of-pool")
    threading.Thread(target=finish, args=("thread",)).start()

def slow(seconds):
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        time.sleep(0.01)
`;
const WSGI = `${CLEANUP}
def app(environ, start_response):
    note("started")
    if environ["PATH_INFO"] == "/slow":
        slow(1.0)
    start_response("200 OK", [("Content-Type", "text/plain")])
    note("answered")
    return [b"answered\\n"]
`;
const ASGI = `${CLEANUP}
import asyncio
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                note("lifespan-shutdown")
                return
    note("started")
    if scope["path"] == "/slow":
        await asyncio.sleep(1.0)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"answered\\n"})
    note("answered")
`;
const CONFIG = `
def post_worker_init(worker):
    import leaving_app
    leaving_app.in_worker()
`;

const CLASSES = [
  { worker: 'sync', options: [], app: WSGI },
  { worker: 'gthread', options: ['--threads', '4'], app: WSGI },
  { worker: 'gevent', options: [], app: WSGI },
  { worker: 'asgi', options: [], app: ASGI },
  { worker: 'uvicorn_worker.UvicornWorker', options: [], app: ASGI },
];

async function start(worker: string, options: readonly string[], app: string): Promise<Run> {
  return await serving(
    ['leaving_app:app', '--workers', String(WORKERS), '--worker-class', worker, '-c', 'gunicorn.conf.py', ...options],
    { files: { 'leaving_app.py': app, 'gunicorn.conf.py': CONFIG } },
  );
}

function lines(run: Run, name: string): string[] {
  const file = path.join(run.folder, name);
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1).toSorted() : [];
}

describe.each(CLASSES)('$worker', ({ worker, options, app }) => {
  test('runs every cleanup of the application, once in each worker', async () => {
    const run = await start(worker, options, app);
    const pids = (await run.workers()).map((each) => String(each.pid)).toSorted();
    expect(pids.length).toBe(WORKERS);
    const mold = String((await run.status()).molds[0]?.pid);
    await run.stop();

    for (const name of ['hook-of-worker', 'work-of-pool', 'thread']) expect(lines(run, name), name).toEqual(pids);
    // A hook registered at import runs in every process that has imported the application, including the mold.
    expect(lines(run, 'hook-of-import')).toEqual([...pids, mold].toSorted());
    expect(pids.flatMap((pid) => lines(run, `buffered-${pid}`))).toEqual(pids);
    for (const pid of pids) expect(run.stdout).toContain(`stdout of ${pid}\n`);
    if (app === ASGI) expect(lines(run, 'lifespan-shutdown')).toEqual(pids);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('answers the requests in flight on %s', async (signal) => {
    const run = await start(worker, options, app);
    // One request for each worker; a sync worker serves only one at a time.
    const answers = Array.from({ length: WORKERS }, () => run.get('/slow'));
    await until('every request is in flight', async () => (await run.status()).herd.in_flight === WORKERS);
    run.signal(signal);
    for (const answer of await Promise.all(answers)) {
      expect(answer.status).toBe(200);
      expect(answer.text).toBe('answered\n');
    }
    expect(await run.ended).toEqual({ status: 0, signal: null });
    expect(lines(run, 'answered').length).toBe(WORKERS);
    expect(lines(run, 'hook-of-worker').length).toBe(WORKERS);
    await run.expectNothingLeft();
  });
});

/** Answers only after ten minutes. Makes the file `started` when a request begins. */
const STUCK = `
import time
def app(environ, start_response):
    open("started", "a").close()
    time.sleep(600)
`;

async function startStuck(options: readonly string[] = []): Promise<{ run: Run; answer: Promise<unknown> }> {
  const run = await serving(['stuck:app', ...options], { files: { 'stuck.py': STUCK } });
  const answer = run.get('/').then(
    // Sync workers of newer gunicorns answer 500 when they are told to end at once.
    ({ status }) => (status === 500 ? 'broken off' : `answered ${status}`),
    () => 'broken off',
  );
  await until('the request is in flight', () => existsSync(path.join(run.folder, 'started')));
  return { run, answer };
}

/** The log line about workers that did not end within the graceful timeout. */
const LATE = /1 worker\(s\) did not finish in time and are killed/;

test('a second Ctrl-C ends requests that do not end', async () => {
  const { run, answer } = await startStuck();
  run.signal('SIGINT');
  await run.waitForText(/Stopping \(Ctrl-C\)/);
  expect(run.ending).toBeNull();
  run.signal('SIGINT');
  expect(await run.ended).toEqual({ status: 0, signal: null });
  expect(run.messages.join('\n')).not.toMatch(LATE);
  expect(await answer).toBe('broken off');
  await run.expectNothingLeft();
});

test('SIGQUIT stops quickly from the beginning', async () => {
  const { run, answer } = await startStuck();
  run.signal('SIGQUIT');
  expect(await run.ended).toEqual({ status: 0, signal: null });
  expect(run.messages.join('\n')).not.toMatch(LATE);
  expect(await answer).toBe('broken off');
  await run.expectNothingLeft();
});

test('after graceful_timeout a request that does not end is cut off, and the log says so', async () => {
  const { run, answer } = await startStuck(['--graceful-timeout', '2']);
  run.signal('SIGTERM');
  expect(await run.ended).toEqual({ status: 0, signal: null });
  expect(await answer).toBe('broken off');
  expect(run.messages.join('\n')).toMatch(LATE);
  expect(run.messages.join('\n')).toMatch(/Stack of worker \d+ \(slot 0\):\n[^]*stuck\.py", line \d+ in app/);
  await run.expectNothingLeft();
});

const STUCK_AT_EXIT = `
import atexit, time
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"well"]
def say_goodbye():
    time.sleep(600)
atexit.register(say_goodbye)
`;

test('a worker whose exit hook does not end is killed after graceful_timeout, and the log names the hook', async () => {
  const run = await serving(['stuck:app', '--graceful-timeout', '2'], { files: { 'stuck.py': STUCK_AT_EXIT } });
  expect((await run.get('/')).text).toBe('well');
  run.signal('SIGTERM');
  expect((await run.ended)?.status).toBe(0);
  expect(run.messages.join('\n')).toMatch(LATE);
  expect(run.messages.join('\n')).toMatch(/Stack of worker \d+ \(slot 0\):\n[^]*stuck\.py", line \d+ in say_goodbye/);
  await run.expectNothingLeft();
});

test('a worker killed with SIGKILL during a stop delays nothing', async () => {
  const { run, answer } = await startStuck();
  run.signal('SIGTERM');
  await run.waitForText(/Stopping/);
  const [worker] = await run.workers();
  process.kill(worker!.pid, 'SIGKILL');
  expect(await run.ended).toEqual({ status: 0, signal: null });
  expect(await answer).toBe('broken off');
  await run.expectNothingLeft();
});

test('stopping while the application loads ends at once and leaves nothing', async () => {
  const run = serve(['loading:app'], {
    files: { 'loading.py': 'import time\nopen("loading", "w").close()\ntime.sleep(600)\n' },
  });
  await until('it is loading', () => existsSync(path.join(run.folder, 'loading')));
  await run.stop('SIGINT');
  // The stop waited neither for the application to load nor for the timeout.
  expect(run.messages.join('\n')).not.toMatch(/did not finish|killed/);
});

test('stopping while a scout tries the heap policy ends the scout too', async () => {
  const app = `
import os, time
mold = os.getpid()
def app(environ, start_response):
    if os.getpid() != mold:
        open("in-scout", "w").close()
        time.sleep(600)
    start_response("200 OK", [])
    return []
`;
  const run = serve(['scouted:app', '--warmup', 'GET /'], { files: { 'scouted.py': app } });
  await until('the scout is at it', () => existsSync(path.join(run.folder, 'in-scout')));
  await run.stop();
});

test('`cowherd stop` stops the herd from another terminal and waits for its end', async () => {
  const run = await start('sync', [], WSGI);
  const stop = cowherd(['stop', '--runtime-dir', run.runtimeDirectory]);
  expect(await stop.ended, stop.stderr).toEqual({ status: 0, signal: null });
  // `stop` has waited, so only the exit of the supervisor remains.
  expect(await run.ended).toEqual({ status: 0, signal: null });
  expect(lines(run, 'hook-of-worker').length).toBe(WORKERS);
  await run.expectNothingLeft();
});

test('`cowherd stop` says so when the herd takes longer than its limit', async () => {
  const { run, answer } = await startStuck();
  const stop = cowherd(['stop', '--runtime-dir', run.runtimeDirectory, '--timeout', '0.5']);
  expect(await stop.ended).toEqual({ status: catalogue.STOP_TIMED_OUT.exitStatus, signal: null });
  expect(stop.stderr).toContain('STOP_TIMED_OUT');
  expect(run.ending).toBeNull();
  const quick = cowherd(['stop', '--runtime-dir', run.runtimeDirectory, '--quick']);
  expect(await quick.ended, quick.stderr).toEqual({ status: 0, signal: null });
  expect(await answer).toBe('broken off');
  expect(await run.ended).toEqual({ status: 0, signal: null });
  await run.expectNothingLeft();
});

test('when the supervisor is killed, requests are answered, and the keeper cleans up when told to leave', async () => {
  const run = await start('gthread', ['--threads', '4'], WSGI);
  const answers = Array.from({ length: WORKERS }, () => run.get('/slow'));
  await until('the requests are in flight', async () => (await run.status()).herd.in_flight === WORKERS);
  const keeper = (await run.status()).herd.keeper.pid ?? 0;
  run.signal('SIGKILL');
  expect(await run.ended).toEqual({ status: null, signal: 'SIGKILL' });
  process.kill(keeper, 'SIGTERM');
  for (const answer of await Promise.all(answers)) expect(answer.text).toBe('answered\n');
  await until('every process has left', () => run.processes.length === 0);
  expect(lines(run, 'hook-of-worker').length).toBe(WORKERS);
  await run.expectNothingLeft();
});

test('when the keeper is killed, workers finish, and the herd starts again', async () => {
  const run = await start('sync', [], WSGI);
  const answer = run.get('/slow');
  await until('the request is in flight', async () => (await run.status()).herd.in_flight === 1);
  process.kill((await run.status()).herd.keeper.pid ?? 0, 'SIGKILL');
  expect((await answer).text).toBe('answered\n');
  await run.waitForText(/The keeper \(pid \d+\) was ended by SIGKILL[^]*Serving: every worker is ready/);
  expect(lines(run, 'hook-of-worker').length).toBe(WORKERS);
  // The kernel chose the port, and chooses a new one.
  const [address = ''] = (await run.status()).herd.listeners;
  expect((await fetchFrom(address, '/')).status).toBe(200);
  await run.stop();
});
