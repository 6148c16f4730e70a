/**
 * Every worker class of gunicorn serves real applications over TCP and over a Unix socket, and is counted correctly.
 */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { Agent } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { APPS, serving, temporaryFolder, type Run } from './support/cowherd.ts';
import { FEED, prepareFeed } from './support/feed.ts';
import { fetchFrom, hammer, type Address } from './support/http.ts';
import { until } from './support/until.ts';

const WORKERS = 3;
const wsgi = [
  { worker: 'sync', options: [] },
  { worker: 'gthread', options: ['--threads', '4'] },
  { worker: 'gevent', options: [] },
];
const asgi = [
  { worker: 'asgi', options: [] },
  { worker: 'uvicorn_worker.UvicornWorker', options: [] },
];

let folder = '';
let feed: Record<string, string> = {};
beforeAll(() => {
  folder = temporaryFolder();
  feed = prepareFeed(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function start(
  app: string,
  chdir: string,
  worker: string,
  options: readonly string[],
): Promise<[Run, Address, Address]> {
  const run = await serving(
    [
      app,
      '--chdir',
      chdir,
      '--workers',
      String(WORKERS),
      '--worker-class',
      worker,
      ...options,
      // An absolute path, since relative ones would be relative to --chdir.
      '--bind',
      '127.0.0.1:0',
      '--bind',
      `unix:${path.join(folder, 'web.sock')}`,
    ],
    { env: feed },
  );
  const [tcp = '', unix = ''] = run.addresses;
  expect(tcp).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(unix).toBe(`unix:${path.join(folder, 'web.sock')}`);
  return [run, tcp, unix];
}

/** Expects that the counters match the requests sent, once the last response has been closed. */
async function expectCounted(run: Run, sent: number): Promise<void> {
  await until(
    () => `${sent} requests counted`,
    async () => (await run.status()).herd.requests >= sent,
    5000,
  );
  const { herd, workers } = await run.status();
  expect(herd.requests).toBe(sent);
  expect(herd.in_flight).toBe(0);
  expect(workers.length).toBe(WORKERS);
  expect(workers.reduce((total, worker) => total + worker.requests, 0)).toBe(sent);
}

/** Sends requests until more than one pid has answered. In parallel, so that one worker can't take them all. */
async function pidsThatAnswer(
  run: Run,
  address: Address,
  pathname: string,
): Promise<{ pids: Set<number>; sent: number }> {
  const pids = new Set<number>();
  let sent = 0;
  await until('several workers answer', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => fetchFrom(address, pathname)));
    sent += answers.length;
    for (const answer of answers) pids.add((JSON.parse(answer.text) as { pid: number }).pid);
    return pids.size > 1;
  });
  const known = (await run.workers()).map((worker) => worker.pid);
  for (const pid of pids) expect(known).toContain(pid);
  return { pids, sent };
}

/** Exercises an application of test/apps: short answers, streams, bodies, errors. */
async function exercise(app: string, hello: string, worker: string, options: readonly string[]): Promise<void> {
  const [run, tcp, unix] = await start(app, APPS, worker, options);
  let sent = 0;

  for (const address of [tcp, unix]) {
    const answer = await fetchFrom(address, '/');
    expect(answer.status).toBe(200);
    expect(answer.text).toBe(hello);
    sent += 1;
  }

  const answers = await hammer(tcp, '/healthz', 60, 12);
  expect(answers.every((answer) => answer.status === 200 && answer.text === 'ok\n')).toBe(true);
  sent += 60;

  const streamed = await fetchFrom(unix, '/stream?lines=2000');
  expect(streamed.text.split('\n').slice(0, -1)).toEqual(Array.from({ length: 2000 }, (_, line) => `line ${line}`));
  sent += 1;

  const body = randomBytes(3 * 1024 * 1024);
  for (const address of [tcp, unix]) {
    const echoed = await fetchFrom(address, '/echo', { method: 'POST', body });
    expect(echoed.status).toBe(200);
    expect(echoed.body.equals(body)).toBe(true);
    sent += 1;
  }
  const chunked = await fetchFrom(tcp, '/echo', { method: 'POST', body: 'in chunks', chunked: true });
  expect(chunked.text).toBe('in chunks');
  sent += 1;

  // Lenient because of gunicorn's error page; see survival.test.ts.
  const failed = await fetchFrom(tcp, '/fail', { lenient: true });
  expect(failed.status).toBe(500);
  sent += 1;

  const spread = await pidsThatAnswer(run, tcp, '/pid');
  sent += spread.sent;

  // A connection that stays open is closed by the worker when it leaves, or serves many requests.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let request = 0; request < 5; request += 1) {
    expect((await fetchFrom(tcp, '/', { agent })).text).toBe(hello);
    sent += 1;
  }
  agent.destroy();

  await expectCounted(run, sent);
  await run.stop();
}

describe('WSGI', () => {
  test.each(wsgi)('$worker serves Flask', async ({ worker, options }) => {
    await exercise('flask_app:app', 'hello from flask\n', worker, options);
  });

  test.each(wsgi)('$worker serves Django', async ({ worker, options }) => {
    await exerciseFeed('feed.wsgi', worker, options);
  });
});

describe('ASGI', () => {
  test.each(asgi)('$worker serves Starlette', async ({ worker, options }) => {
    await exercise('starlette_app:app', 'hello from starlette\n', worker, options);
  });

  test.each(asgi)('$worker serves Django', async ({ worker, options }) => {
    await exerciseFeed('feed.asgi:application', worker, options);
  });
});

/** Exercises the bundled application: pages from rows, templates and loaded data, sessions, and the admin. */
async function exerciseFeed(app: string, worker: string, options: readonly string[]): Promise<void> {
  const [run, tcp, unix] = await start(app, FEED, worker, options);
  let sent = 0;

  for (const address of [tcp, unix]) {
    const page = await fetchFrom(address, '/?user=3');
    expect(page.status).toBe(200);
    expect(page.text).toMatch(/<\/html>\s*$/);
    expect(page.headers['set-cookie']?.join()).toMatch(/sessionid=/);
    sent += 1;
  }
  // The session counts visits over all workers.
  let cookie = '';
  for (const visits of [1, 2]) {
    const page = await fetchFrom(tcp, '/?user=1', { headers: { cookie } });
    cookie = page.headers['set-cookie']?.join().split(';')[0] ?? '';
    const [payload = ''] = cookie.replace('sessionid=', '').split(':');
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toEqual({ visits });
  }
  sent += 2;

  const pages = await hammer(tcp, '/', 40, 8);
  expect(pages.map((page) => page.status)).toEqual(Array.from({ length: 40 }, () => 200));
  sent += 40;

  expect((await fetchFrom(unix, '/admin/login/')).text).toContain('csrfmiddlewaretoken');
  expect((await fetchFrom(tcp, '/admin/login/', { method: 'POST', body: 'a'.repeat(1024 * 1024) })).status).toBe(403);
  expect((await fetchFrom(tcp, '/no-such-page')).status).toBe(404);
  sent += 3;

  const spread = await pidsThatAnswer(run, tcp, '/stats');
  sent += spread.sent;
  await expectCounted(run, sent);
  await run.stop();
}
