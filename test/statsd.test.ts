/** StatsD: what gunicorn sends, with gunicorn's own arbiter gone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { HELLO, PYTHON, serve, serving, temporaryFolder, type Run } from './support/cowherd.ts';
import { kindOf, udpReceiver, unixReceiver } from './support/datagrams.ts';
import { fetchFrom } from './support/http.ts';
import { until } from './support/until.ts';

const files = { 'hello.py': HELLO };
const ARGS = ['hello:app', '--workers', '2', '--enable-backlog-metric'];

/** gunicorn itself, until the test ends; on TCP, since it has no backlog of Unix sockets. */
async function gunicorn(args: readonly string[], folder: string): Promise<string> {
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const address = `127.0.0.1:${(free.address() as AddressInfo).port}`;
  free.close();
  const server = spawn(PYTHON, ['-m', 'gunicorn', '--bind', address, '--no-control-socket', ...args], {
    cwd: folder,
    stdio: 'ignore',
  });
  onTestFinished(async () => {
    server.kill('SIGKILL');
    await once(server, 'exit');
  });
  return `http://${address}`;
}

function gaugesOf(datagrams: readonly string[]): string[] {
  return datagrams.filter((each) => each.includes('gunicorn.workers'));
}

function backlogsOf(datagrams: readonly string[]): string[] {
  return datagrams.filter((each) => each.includes('gunicorn.backlog'));
}

/** Waits for more backlogs, which come once a second: until then everything else that is due has come too. */
async function looks(datagrams: readonly string[], count: number): Promise<void> {
  const before = backlogsOf(datagrams).length;
  await until(`${count} more backlogs`, () => backlogsOf(datagrams).length >= before + count);
}

async function order(run: Run, ...words: string[]): Promise<void> {
  await run.command(...words, '--runtime-dir', run.runtimeDirectory);
}

test('every metric of gunicorn comes, in the form in which gunicorn sends it', async () => {
  const [theirs, ours] = [await udpReceiver(), await udpReceiver()];
  const args = [...ARGS, '--statsd-prefix', 'shop', '--dogstatsd-tags', 'a:b'];
  const run = await serving([...args, '--statsd-host', ours.host], { files });
  const other = await gunicorn([...args, '--statsd-host', theirs.host], run.folder);
  for (const [address, datagrams] of [
    [other, theirs.datagrams],
    [run.address, ours.datagrams],
  ] as const) {
    await until('it answers', async () => {
      try {
        return (await fetchFrom(address, '/')).status === 200;
      } catch {
        return false;
      }
    });
    await looks(datagrams, 2);
  }
  const kinds = (datagrams: readonly string[]): string[] => [...new Set(datagrams.map(kindOf))].toSorted();
  expect(kinds(ours.datagrams)).toEqual(kinds(theirs.datagrams));
  expect(kinds(ours.datagrams)).toHaveLength(5);
  expect(gaugesOf(ours.datagrams)).toEqual(['shop.gunicorn.workers:2|g|#a:b']);
  await run.stop();
});

test('the gauges continue through a reload, a refork and an adoption, and are sent once', async () => {
  const { host, datagrams } = await udpReceiver();
  const args = [...ARGS, '--statsd-host', host];
  const startedAtMs = performance.now();
  const first = await serving(args, { files });
  await looks(datagrams, 1);
  expect(gaugesOf(datagrams)).toEqual(['gunicorn.workers:2|g']);
  await order(first, 'scale', '3');
  await until('the new number', () => gaugesOf(datagrams).length === 2);
  await order(first, 'reload');
  await looks(datagrams, 2);
  // Told again by the mold of the new generation, whose logger may send to another place; and so on.
  const three = 'gunicorn.workers:3|g';
  await until('all are ready', async () => (await first.status()).herd.rollout === null);
  await until('told by the second mold', () => gaugesOf(datagrams).length >= 3);
  await order(first, 'refork');
  await until('told by the third mold', () => gaugesOf(datagrams).length >= 4);
  await looks(datagrams, 2);
  first.signal('SIGKILL');
  await first.ended;
  const second = serve(args, { cwd: first.folder, runtimeDirectory: first.runtimeDirectory });
  await second.waitUntilServing();
  await until('told after the adoption', () => gaugesOf(datagrams).length >= 5);
  await looks(datagrams, 2);
  // A surplus during a rollout is not told, as gunicorn does not.
  expect(gaugesOf(datagrams)).toEqual(['gunicorn.workers:2|g', three, three, three, three]);
  const seconds = (performance.now() - startedAtMs) / 1000;
  // One more for the second supervisor, whose ticks begin when it starts.
  expect(backlogsOf(datagrams).length).toBeLessThanOrEqual(seconds + 2);
  await second.stop();
});

test('the backlog is the number of connections that wait, on all listeners', async () => {
  const { host, datagrams } = await udpReceiver();
  const folder = temporaryFolder();
  const socket = path.join(folder, 'web.sock');
  const run = await serving([...ARGS, '--statsd-host', host, '--bind', '127.0.0.1:0', '--bind', `unix:${socket}`], {
    files,
  });
  const pids = (await run.workers()).map((worker) => worker.pid);
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  const { port } = new URL(run.address);
  const waiting: Socket[] = [];
  for (const where of [{ port: Number(port), host: '127.0.0.1' }, { path: socket }]) {
    for (let each = 0; each < 3; each += 1) {
      const connection = connect(where);
      await once(connection, 'connect');
      waiting.push(connection);
    }
  }
  await until('all are seen', () => datagrams.includes('gunicorn.backlog:6|h'));
  for (const each of waiting) each.destroy();
  for (const pid of pids) process.kill(pid, 'SIGCONT');
  await run.stop();
});

test('a Unix datagram socket gets them too; a receiver that is away costs no line, and is found when it is back', async () => {
  const at = path.join(temporaryFolder(), 'statsd');
  const first = await unixReceiver(at);
  const run = await serving([...ARGS, '--statsd-host', `unix://${at}`], { files });
  await looks(first.datagrams, 2);
  expect(gaugesOf(first.datagrams)).toEqual(['gunicorn.workers:2|g']);
  await first.stop();
  rmSync(at);
  await order(run, 'scale', '1');
  await until('a second has passed', async () => (await run.status()).herd.age_seconds > 8);
  expect(run.stderr).not.toContain('Traceback');
  const second = await unixReceiver(at);
  await looks(second.datagrams, 1);
  // The workers have the same socket.
  await run.get('/');
  await until('a request', () => second.datagrams.includes('gunicorn.requests:1|c|@1.0'));
  expect(run.stderr).not.toContain('Traceback');
  await run.stop();
});

test('UDP that nobody receives costs no line', async () => {
  const { host, datagrams } = await udpReceiver();
  const nobody = `127.0.0.1:${Number(host.split(':')[1]) === 9 ? 10 : 9}`;
  const run = await serving([...ARGS, '--statsd-host', nobody], { files });
  await until('some ticks', async () => (await run.status()).herd.age_seconds > 5);
  expect(run.stderr).not.toMatch(/Traceback|statsd/);
  expect(datagrams).toEqual([]);
  await run.stop();
});

const LOGGER = `
import json, os
from gunicorn.glogging import Logger
class Metrics(Logger):
    def debug(self, msg, *args, **kwargs):
        super().debug(msg, *args, **kwargs)
        extra = kwargs.get("extra")
        if extra is not None:
            with open("metrics", "a") as file:
                file.write(json.dumps([msg, extra]) + "\\n")
`;

test('a logger class of ones own gets what gunicorn would give it', async () => {
  const run = await serving([...ARGS, '--logger-class', 'shoplogs.Metrics'], {
    files: { ...files, 'shoplogs.py': LOGGER },
  });
  const lines = (): string[] => readFileSync(path.join(run.folder, 'metrics'), 'utf8').trim().split('\n');
  await until('both', () => {
    try {
      return lines().length >= 2;
    } catch {
      return false;
    }
  });
  const [workers, backlog] = lines().map((line) => JSON.parse(line) as unknown);
  expect(workers).toEqual(['2 workers', { metric: 'gunicorn.workers', value: 2, mtype: 'gauge' }]);
  expect(backlog).toEqual(['socket backlog: 0', { metric: 'gunicorn.backlog', value: 0, mtype: 'histogram' }]);
  await run.stop();
});
