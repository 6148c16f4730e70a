/** A herd that is told to stop: who has connected is answered, who has not is told, and what was cut is named. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { cowherd, PYTHON, ROOT, serving, type Run } from './support/cowherd.ts';
import { processInfo } from './support/processes.ts';
import { until } from './support/until.ts';

/** `/busy` keeps the worker from doing anything else, whatever its class; `/slow` only waits. */
const WSGI = `
import time
def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/busy":
        end = time.monotonic() + 1.5
        while time.monotonic() < end: pass
    if path == "/slow": time.sleep(float(environ["QUERY_STRING"].partition("=")[2]))
    start_response("200 OK", [("Content-Length", "4")])
    return [b"well"]
`;
const ASGI = `
import asyncio, time
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError("http only")
    path = scope["path"]
    if path == "/busy":
        end = time.monotonic() + 1.5
        while time.monotonic() < end: pass
    if path.startswith("/slow"): await asyncio.sleep(float(scope["query_string"].partition(b"=")[2]))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"well"})
`;
const files = { 'wsgi_app.py': WSGI, 'asgi_app.py': ASGI };

const sync = { name: 'sync', args: ['wsgi_app:app'] };
const gthread = { name: 'gthread', args: ['wsgi_app:app', '-k', 'gthread', '--threads', '2'] };
// It accepts what it has threads for, so that others stay queued.
const narrow = { name: 'gthread', args: [...gthread.args, '--worker-connections', '2', '--keep-alive', '0'] };
const gevent = { name: 'gevent', args: ['wsgi_app:app', '-k', 'gevent'] };
const asgi = { name: 'asgi', args: ['asgi_app:app', '-k', 'asgi'] };
const uvicorn = { name: 'uvicorn', args: ['asgi_app:app', '-k', 'uvicorn_worker.UvicornWorker'] };

/** A connection that has been made, and whose client has sent a request. */
class Client {
  readonly #socket: Socket;
  answer = '';
  isClosed = false;
  readonly ended: Promise<void>;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.answer += text;
    });
    // After a reset there is no answer, which is what counts.
    socket.on('error', () => {});
    this.ended = new Promise((resolve) => {
      socket.on('close', () => {
        this.isClosed = true;
        resolve();
      });
    });
  }

  static async connected(run: Run): Promise<Client> {
    const { address } = run;
    const url = address.startsWith('unix:') ? null : new URL(address);
    const socket = url === null ? connect(address.slice('unix:'.length)) : connect(Number(url.port), url.hostname);
    await once(socket, 'connect');
    return new Client(socket);
  }

  static async asking(run: Run, pathname = '/'): Promise<Client> {
    const client = await Client.connected(run);
    client.send(pathname, 'close');
    return client;
  }

  send(pathname: string, connection: 'close' | 'keep-alive'): void {
    this.#socket.write(`GET ${pathname} HTTP/1.1\r\nHost: localhost\r\nConnection: ${connection}\r\n\r\n`);
  }

  get isAnswered(): boolean {
    return /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nwell$/.test(this.answer);
  }
}

async function start(args: readonly string[], ...more: string[]): Promise<Run> {
  return await serving([...args, '--workers', '1', '--policy', 'freeze', ...more], { files });
}

async function inFlight(run: Run, count: number): Promise<void> {
  await until(`${count} in flight`, async () => (await run.status()).herd.in_flight === count);
}

/** All workers are busy, and connections are queued, when it is told to stop. Gives how many are not answered. */
async function unansweredAtStop(run: Run, workers: number, connections: number): Promise<number> {
  const busy = await Promise.all(Array.from({ length: workers }, () => Client.asking(run, '/busy')));
  await inFlight(run, workers);
  const queued = await Promise.all(Array.from({ length: connections }, () => Client.asking(run)));
  await run.stop();
  const clients = [...busy, ...queued];
  await Promise.all(clients.map((client) => client.ended));
  return clients.filter((client) => !client.isAnswered).length;
}

describe('connections in the listen backlog', () => {
  test.each([sync, narrow, gevent, asgi, uvicorn])('are answered ($name)', async ({ args }) => {
    const run = await start(args);
    expect(await unansweredAtStop(run, 1, 60)).toBe(0);
    expect(run.messages.filter((message) => message.includes('cut'))).toEqual([]);
  });

  test('of a Unix socket are answered, by several workers', async () => {
    const run = await start(sync.args, '--workers', '2', '--bind', 'unix:web.sock');
    expect(await unansweredAtStop(run, 2, 60)).toBe(0);
  });

  test('are answered also by a worker that is to leave after so many requests', async () => {
    const run = await start(sync.args, '--max-requests', '20');
    expect(await unansweredAtStop(run, 1, 40)).toBe(0);
  });

  test.each([sync, gthread, gevent, asgi, uvicorn])(
    'that keep coming are refused, and none is reset ($name)',
    async ({ args }) => {
      const run = await start(args, '--graceful-timeout', '600');
      const lost: string[] = [];
      let answered = 0;
      const client = async (): Promise<void> => {
        while (run.ending === null) {
          try {
            expect((await run.get('/', { timeoutMs: 30_000 })).status).toBe(200);
            answered += 1;
          } catch (error) {
            lost.push(error instanceof Error && 'code' in error ? String(error.code) : String(error));
            await sleep(10);
          }
        }
      };
      const clients = Array.from({ length: 8 }, client);
      await until('they are answered', () => answered > 100);
      expect(lost).toEqual([]);
      // Long before its time is over, or the test would be.
      await run.stop();
      await Promise.all(clients);
      // Who connects after the signal is refused.
      expect(lost.filter((code) => code !== 'ECONNREFUSED')).toEqual([]);
      expect(lost.length).toBeGreaterThanOrEqual(clients.length);
    },
  );
});

test("the backlog of systemd's sockets, which outlive the server, is left alone", async () => {
  // The interface that a socket is bound to; 0 is none (agent/cowherd_agent/keeper/turn_away.py).
  const config = `
import socket
def worker_exit(server, worker):
    SO_BINDTOIFINDEX = 62
    interface = worker.sockets[0].getsockopt(socket.SOL_SOCKET, SO_BINDTOIFINDEX)
    server.log.info("new connections are %s", "turned away" if interface else "queued")
`;
  const more = { files: { ...files, 'gunicorn.conf.py': config } };
  const own = await serving(['wsgi_app:app'], more);
  await own.stop();
  expect(own.messages).toContain('new connections are turned away');
  const activate = [PYTHON, path.join(ROOT, 'test', 'support', 'activate.py'), 'tcp', '--'];
  const activated = await serving(['wsgi_app:app'], { ...more, prefix: activate });
  await activated.stop();
  expect(activated.messages).toContain('new connections are queued');
});

test.each([gthread, asgi])(
  'connections that are kept alive are closed after an answer, never after a request ($name)',
  async ({ args }) => {
    const run = await start(args);
    let unanswered = 0;
    let answers = 0;
    const client = async (): Promise<void> => {
      const connection = await Client.connected(run);
      while (!connection.isClosed) {
        connection.answer = '';
        connection.send('/', 'keep-alive');
        await until('an answer, or the end', () => connection.isAnswered || connection.isClosed);
        if (connection.isAnswered) answers += 1;
        else unanswered += 1;
        if (/^connection: close/im.test(connection.answer)) await connection.ended;
        else await sleep(20);
      }
    };
    const clients = Array.from({ length: 10 }, client);
    await until('they are answered', () => answers > 50);
    await run.stop();
    await Promise.all(clients);
    expect(unanswered).toBe(0);
  },
);

test('readiness turns at once, and what is in flight is finished', async () => {
  const run = await start(gthread.args);
  const ready = (): Run => cowherd(['status', '--ready', '--runtime-dir', run.runtimeDirectory]);
  const before = ready();
  expect(await before.ended).toEqual({ status: 0, signal: null });
  expect(before.stdout + before.stderr).toBe('');
  const slow = await Client.asking(run, '/slow?seconds=3');
  await inFlight(run, 1);
  run.signal('SIGTERM');
  await until('it is not ready', async () => (await run.status()).herd.not_ready_because === 'the herd is stopping');
  const after = ready();
  expect((await after.ended).status).toBe(1);
  expect(after.stderr).toBe('Not ready: the herd is stopping\n');
  expect(slow.answer).toBe('');
  await slow.ended;
  expect(slow.isAnswered).toBe(true);
  expect(await run.ended).toEqual({ status: 0, signal: null });
  await run.expectNothingLeft();
  const gone = ready();
  expect((await gone.ended).status).toBe(1);
  expect(gone.stderr).toMatch(/^Not ready: No herd is running here/);
});

test.each([sync, gevent, asgi])(
  'with a grace period that is too short, the requests that were cut are named ($name)',
  async ({ args }) => {
    const run = await start(args, '--graceful-timeout', '2');
    const slow = await Client.asking(run, '/slow?secret=60');
    await inFlight(run, 1);
    await run.stop();
    await slow.ended;
    expect(slow.isAnswered).toBe(false);
    const told = run.messages.filter((message) => message.includes('request(s) cut'));
    expect(told).toEqual([expect.stringMatching(/^Worker \d+ has ended with 1 request\(s\) cut: GET \/slow \(after /)]);
    expect(run.stderr).not.toContain('secret');
  },
);

test('a client can write no line of its own into the log', async () => {
  const run = await start(asgi.args, '--graceful-timeout', '2', '--log-format', 'text');
  const slow = await Client.asking(
    run,
    '/slow%0a[2026-11-28%2017:00:00%20+0000]%20[1]%20[CRITICAL]%20forged%1b[31m%1b]0;PWN%07?s=60',
  );
  await inFlight(run, 1);
  await run.stop();
  await slow.ended;
  const log = run.stderr;
  const lines = log.split('\n').filter((line) => line.includes('forged'));
  expect(lines).toEqual([
    expect.stringContaining(
      String.raw`cut: GET /slow\n[2026-11-28 17:00:00 +0000] [1] [CRITICAL] forged\x1b[31m\x1b]0;PWN\x07`,
    ),
  ]);
  expect(log).not.toMatch(/[^\P{C}\n]/u);
});

test('a supervisor that has ended, and that its parent has not taken notice of, is gone to the command `stop`', async () => {
  const run = await serving(['wsgi_app:app'], { files, prefix: ['sh', '-c', '"$@" & exec sleep 600', 'sh'] });
  const { pid } = (await run.status()).herd.supervisor;
  const stop = cowherd(['stop', '--timeout', '60', '--runtime-dir', run.runtimeDirectory]);
  expect(await stop.ended, stop.stderr).toEqual({ status: 0, signal: null });
  expect(stop.stdout).toMatch(/^Stopped wsgi_app:app of /);
  expect(processInfo(pid)?.state).toBe('Z');
  run.signal('SIGKILL');
  expect((await run.ended).signal).toBe('SIGKILL');
  await run.expectNothingLeft();
});
