/** The metrics endpoint of real herds: its text, who may read it, and a real Prometheus that scrapes it. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { CATALOGUE } from '../src/supervisor/metrics/catalogue.ts';
import { freePort } from '../bench/lib/free-port.ts';
import { cowherd, HELLO, type Run, serving, temporaryFolder } from './support/cowherd.ts';
import { fetchFrom } from './support/http.ts';
import { needs } from './support/needs.ts';
import { kill } from './support/processes.ts';
import { type Prometheus, PROMETHEUS_NEEDED, startPrometheus } from './support/prometheus.ts';
import { until } from './support/until.ts';

const files = { 'hello.py': HELLO };

async function addressOf(run: Run): Promise<string> {
  const [, address = ''] = await run.waitForText(/Metrics at (http:\/\/[^/"]+|unix:[^"\n]+)/);
  return address;
}

async function scrape(address: string): Promise<string> {
  const answer = await fetchFrom(address, '/metrics');
  expect(answer.status).toBe(200);
  return answer.text;
}

/** The value of a series, named as in the text; null if it is missing. */
function valueOf(text: string, series: string): number | null {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? null : Number(line.slice(series.length + 1));
}

test('every metric of the catalogue is exported, and no other; the text is valid', async () => {
  const run = await serving(['hello:app', '--workers', '2', '--metrics', '127.0.0.1:0'], { files });
  for (let count = 0; count < 10; count += 1) await run.get('/');
  const address = await addressOf(run);
  const text = await until('both workers are sampled', async () => {
    const found = await scrape(address);
    return found.includes('cowherd_worker_pss_bytes{slot="1"}') ? found : null;
  });
  const named = Array.from(text.matchAll(/^# TYPE (\S+) /gm), ([, name]) => name);
  expect(named).toEqual(Object.values(CATALOGUE).map(({ name }) => name));
  const requests = [0, 1].map((slot) => valueOf(text, `cowherd_worker_requests_total{slot="${slot}"}`) ?? 0);
  expect(requests.reduce((a, b) => a + b)).toBe(10);
  expect(valueOf(text, 'cowherd_request_duration_seconds_count')).toBe(10);
  expect(valueOf(text, 'cowherd_request_duration_seconds_bucket{le="+Inf"}')).toBe(10);
  expect(valueOf(text, 'cowherd_workers{state="ready"}')).toBe(2);
  if (PROMETHEUS_NEEDED === null) {
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    expect(checked.stdout + checked.stderr).toBe('');
  }
  await run.stop();
});

test('nothing listens unless it is told to', async () => {
  const run = await serving(['hello:app'], { files });
  expect(run.messages.join('\n')).not.toContain('Metrics');
  await run.stop();
});

test('a Unix socket is for this user alone; one left by a killed supervisor is replaced', async () => {
  const socket = path.join(temporaryFolder(), 'metrics.sock');
  const run = await serving(['hello:app', '--metrics', `unix:${socket}`], { files });
  await addressOf(run);
  expect(statSync(socket).mode & 0o777).toBe(0o600);
  expect(await scrape(`unix:${socket}`)).toContain('cowherd_info');
  kill([run.pid]);
  const next = cowherd(['serve', '--runtime-dir', run.runtimeDirectory, 'hello:app', '--metrics', `unix:${socket}`], {
    cwd: run.folder,
  });
  await next.waitForText(/Metrics at unix:/);
  expect(await scrape(`unix:${socket}`)).toContain('cowherd_info');
  next.signal('SIGTERM');
  expect(await next.ended).toEqual({ status: 0, signal: null });
});

describe('beyond this machine', () => {
  test('nothing is served without a token; the herd serves on', async () => {
    const run = await serving(['hello:app', '--metrics', '0.0.0.0:0'], { files });
    await run.waitForText(
      /Metrics are not served: 0\.0\.0\.0:0 is reached from elsewhere, which needs metrics_token_file/,
    );
    expect((await run.get('/')).status).toBe(200);
    await run.stop();
  });

  test('a scrape must bring the token of a file that nobody else can read', async () => {
    const token = path.join(temporaryFolder(), 'token');
    writeFileSync(token, 'a secret\n', { mode: 0o644 });
    const run = await serving(['hello:app', '--metrics', '0.0.0.0:0', '--metrics-token-file', token], { files });
    await run.waitForText(/Metrics are not served: the token file: .* its mode must be 0600/);
    chmodSync(token, 0o600);
    await run.command('reload');
    const { port } = new URL(await addressOf(run));
    const ask = async (authorization?: string): Promise<number> => {
      const headers = authorization === undefined ? {} : { authorization };
      return (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).status;
    };
    expect(await ask()).toBe(401);
    expect(await ask('Bearer wrong')).toBe(401);
    expect(await ask('Bearer a secret')).toBe(200);
    await run.stop();
  });
});

test('an address that is in use is an error of the log alone', async () => {
  const first = await serving(['hello:app', '--metrics', '127.0.0.1:0'], { files });
  const { host } = new URL(await addressOf(first));
  const second = await serving(['hello:app', '--metrics', host], { files });
  await second.waitForText(/Metrics are not served: .* EADDRINUSE/);
  expect((await second.get('/')).status).toBe(200);
  await second.stop();
  await first.stop();
});

test('visitors that ask for nothing, send nonsense or never read do not hinder a scrape', async () => {
  const run = await serving(['hello:app', '--metrics', '127.0.0.1:0'], { files });
  const address = await addressOf(run);
  const { hostname, port } = new URL(address);
  const visitors = Array.from({ length: 40 }, (_, index) => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    socket.pause();
    if (index % 2 === 0)
      socket.write(index % 4 === 0 ? '\u0000\u0001nonsense\r\n\r\n' : 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n');
    return socket;
  });
  const text = await until('a scrape is answered', async () => await scrape(address).catch(() => null));
  expect(text).toContain('cowherd_info');
  for (const visitor of visitors) visitor.destroy();
  const evil = await fetchFrom(address, '/metrics', { headers: { host: 'evil.example' } });
  expect(evil.status).toBe(400);
  expect((await run.get('/')).status).toBe(200);
  await run.stop();
});

test.each(['GET /metrics HTTP/1.0', 'GET /metrics HTTP/1.1\r\nConnection: close'])(
  'a visitor that wants no second answer is let go at once: %j',
  async (head) => {
    const run = await serving(['hello:app', '--metrics', '127.0.0.1:0'], { files });
    const { hostname, port } = new URL(await addressOf(run));
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    const askedMs = performance.now();
    socket.write(`${head}\r\nHost: localhost\r\n\r\n`);
    await once(socket, 'close');
    // A connection that is kept open ends after 5 s at the earliest.
    expect(performance.now() - askedMs).toBeLessThan(4_500);
    const length = Number(/^content-length: (\d+)/im.exec(text)?.[1]);
    expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toHaveLength(length);
    await run.stop();
  },
);

describe('a real Prometheus', needs(PROMETHEUS_NEEDED), () => {
  let prometheus: Prometheus | null = null;
  afterEach(() => prometheus?.stop());

  test('sees no counter fall and no series end, through a reload, a refork, a crash and an adoption', async () => {
    const port = await freePort();
    const args = ['hello:app', '--workers', '2', '--metrics', `127.0.0.1:${port}`];
    const run = await serving(args, { files });
    await addressOf(run);
    prometheus = await startPrometheus(port);
    const { ask } = prometheus;
    let asked = 0;
    const load = async (): Promise<void> => {
      for (let count = 0; count < 20; count += 1) await run.get('/');
      asked += 20;
    };
    await load();
    await until('it has scraped', async () => (await ask('cowherd_workers_wanted').catch(() => [])).length > 0);
    await run.command('reload');
    await load();
    await run.command('refork');
    await load();
    const [worker] = await run.workers();
    kill([worker!.pid]);
    await until('it is replaced', async () => {
      const workers = await run.workers();
      return workers.length === 2 && workers.every(({ pid, state }) => pid !== worker!.pid && state === 'ready');
    });
    await load();
    kill([run.pid]);
    const next = cowherd(['serve', '--runtime-dir', run.runtimeDirectory, '--bind', '127.0.0.1:0', ...args], {
      cwd: run.folder,
    });
    await next.waitForText(/Metrics at http/);
    await load();
    const total = async (): Promise<number> => (await ask('sum(cowherd_worker_requests_total)'))[0]?.[1] ?? 0;
    await until('all requests are counted', async () => (await total()) >= asked);
    expect(await total()).toBe(asked);
    const counters = Object.values(CATALOGUE).filter(({ type }) => type === 'counter');
    for (const { name } of counters) {
      const fallen = (await ask(`resets(${name}[10m]) > 0`)).map(([labels]) => labels);
      expect(fallen, name).toEqual([]);
    }
    // Series of the herd that were there before are there now.
    for (const name of [
      'cowherd_ready',
      'cowherd_workers',
      'cowherd_rollouts_total',
      'cowherd_worker_requests_total',
    ]) {
      expect(await ask(`${name} offset 2s unless ${name}`), name).toEqual([]);
    }
    const rollouts = Object.fromEntries(await ask('sum by (kind, outcome) (cowherd_rollouts_total)'));
    expect(rollouts['{"kind":"reload","outcome":"done"}']).toBe(1);
    expect(rollouts['{"kind":"refork","outcome":"done"}']).toBe(1);
    expect((await ask('cowherd_worker_deaths_total{cause="SIGKILL"}'))[0]?.[1]).toBe(1);
    next.signal('SIGTERM');
    expect(await next.ended, next.stderr).toEqual({ status: 0, signal: null });
  });
});
