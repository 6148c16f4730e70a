/** What a restart does to the host, recorded and listed: `cowherd history`. */
import { statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { RestartRecord } from '../src/supervisor/restarts/restart-record.ts';
import { serving, type Run } from './support/cowherd.ts';
import { hammer } from './support/http.ts';
import { until } from './support/until.ts';

const APP = `
import time
def app(environ, start_response):
    if environ["PATH_INFO"] == "/raise":
        raise RuntimeError("asked to")
    start_response("200 OK", [])
    if environ["PATH_INFO"] == "/slow":
        time.sleep(600)
    return [b"well"]
`;
const files = { 'hello.py': APP };

interface History {
  file: string;
  records: RestartRecord[];
}

async function historyOf(run: Run): Promise<History> {
  const listed = await run.command('history', '--json', '--runtime-dir', run.runtimeDirectory);
  return JSON.parse(listed.stdout) as History;
}

test('two reloads, one that fails, and a stop are listed, also when nothing runs any more', async () => {
  const run = await serving(['hello:app', '--workers', '2'], { files });
  await run.command('reload', '--runtime-dir', run.runtimeDirectory);
  // The record follows when the last old worker has left.
  await until('the first record', async () => (await historyOf(run)).records.length === 1);

  run.signal('SIGHUP');
  await until('a reload is under way', async () => (await run.status()).herd.rollout !== null);
  const answers = await hammer(run.address, '/', 20, 2);
  await run.get('/raise').catch(() => null);
  expect(answers.every((answer) => answer.status === 200)).toBe(true);
  await until('the second record', async () => (await historyOf(run)).records.length === 2);

  writeFileSync(path.join(run.folder, 'hello.py'), 'raise RuntimeError("broken")\n');
  run.signal('SIGHUP');
  await until('the third record', async () => (await historyOf(run)).records.length === 3);
  await run.stop();

  const { file, records } = await historyOf(run);
  expect(records.map(({ kind, by, from, to }) => ({ kind, by, from, to }))).toEqual([
    { kind: 'reload', by: 'cowherd reload', from: 1, to: 2 },
    { kind: 'reload', by: 'SIGHUP', from: 2, to: 3 },
    { kind: 'reload', by: 'SIGHUP', from: 3, to: 4 },
    { kind: 'stop', by: 'SIGTERM', from: 3, to: null },
  ]);
  expect(records.map(({ failure }) => failure === null)).toEqual([true, true, false, true]);
  expect(records[2]?.failure).toMatch(/APP_IMPORT_FAILED: .*broken/);
  for (const { duration_seconds: took, settled_seconds: settled, started, workers, host, faults } of records) {
    expect(took).toBeGreaterThan(0);
    expect(settled).toBeGreaterThanOrEqual(took);
    expect(Math.abs(Date.now() - Date.parse(started))).toBeLessThan(300_000);
    expect(workers).toBe(2);
    expect(host!.memory_free_lowest).toBeGreaterThan(0);
    expect(host!.memory_free_lowest).toBeLessThanOrEqual(host!.memory_free_before);
    expect(host!.memory_available_lowest).toBeLessThanOrEqual(host!.memory_total);
    expect(host!.page_cache_lost).toBeGreaterThanOrEqual(0);
    expect(faults.processes.map(({ role }) => role)).toContain('mold');
    expect(faults.minor).toBeGreaterThanOrEqual(faults.processes[0]!.minor);
  }
  // A mold that loads the application has thousands; two new workers some hundreds each.
  const [first, second, failed] = records;
  const moldFaults = first!.faults.processes.find(({ role, generation }) => role === 'mold' && generation === 2);
  expect(moldFaults?.minor).toBeGreaterThan(1000);
  const workers = first!.faults.processes.filter(({ role }) => role === 'worker');
  expect(workers.map(({ generation }) => generation).toSorted((a, b) => a! - b!)).toEqual([1, 1, 2, 2]);
  expect(failed!.faults.processes.some(({ role, generation }) => role === 'mold' && generation === 4)).toBe(true);
  expect(second!.requests.answered).toBeGreaterThanOrEqual(1);
  expect(second!.requests.answered).toBeLessThanOrEqual(21);
  expect(first!.requests.errors).toBe(0);
  expect(records.some((record) => (record.herd_pss_peak ?? 0) > 2 ** 20)).toBe(true);
  expect(statSync(file).mode & 0o777).toBe(0o600);

  const table = (await run.command('history', '--runtime-dir', run.runtimeDirectory)).stdout;
  expect(table).toMatch(/reload +1 → 2 +cowherd reload/);
  expect(table).toMatch(/reload \(failed\) +3 → 4 +SIGHUP/);
  expect(table).toMatch(/stop +3 +SIGTERM/);
});

test('requests that are cut, and exceptions of the application, are counted', async () => {
  const run = await serving(['hello:app', '--workers', '2', '--threads', '4'], { files });
  const lost = [run.get('/slow'), run.get('/slow')].map((answer) => answer.catch(() => null));
  await until('they are in flight', async () => (await run.status()).herd.in_flight === 2);
  await run.get('/raise').catch(() => null);
  await run.stop('SIGQUIT');
  await Promise.all(lost);
  const { records } = await historyOf(run);
  expect(records.map(({ kind, by }) => [kind, by])).toEqual([['stop', 'SIGQUIT']]);
  // The exception came before the stop.
  expect(records[0]?.requests).toMatchObject({ errors: 0, cut: 2 });
});

test('a place that cannot be written to costs one warning, and no restart', async () => {
  const run = await serving(['hello:app', '--workers', '1'], { files, env: { XDG_STATE_HOME: '/proc/nowhere' } });
  await run.command('reload', '--runtime-dir', run.runtimeDirectory);
  await run.waitForText(/Restarts are not recorded/);
  await run.command('reload', '--runtime-dir', run.runtimeDirectory);
  await run.stop();
  expect(run.messages.filter((message) => message.includes('Restarts are not recorded')).length).toBe(1);
});
