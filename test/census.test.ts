/** The census of a running herd: what it tells `cowherd why`, and what becomes of its scout when others die. */
import { readdirSync, readlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ask } from '../src/supervisor/control/control.ts';
import { CONTROL_VERSION } from '../src/supervisor/control/control-messages.ts';
import type { CensusReport } from '../src/supervisor/decisions/processes/census.ts';
import type { WhyReport } from '../src/forensics/answer/report.ts';
import { cowherd, serve, serving, type Run } from './support/cowherd.ts';
import { isGone, processInfo } from './support/processes.ts';
import { until } from './support/until.ts';

/** Rows that nothing but their modules tells apart; those of the first are 60% of all. */
const TABLES = {
  'stock_table.py': 'rows = [{"number": number, "count": 0} for number in range(90_000)]\n',
  // It refers to the other one's, which was there first.
  'price_table.py': `
from stock_table import rows as others
rows = [{"number": number, "count": 0} for number in range(60_000)]
`,
  'shop.py': `
import price_table, stock_table
def app(environ, start_response):
    if environ["PATH_INFO"] == "/write":
        for row in stock_table.rows:
            row["count"] += 1
        for row in price_table.rows:
            row["count"] += 1
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"done"]
`,
};

async function census(run: Run, start: boolean): Promise<CensusReport> {
  const reply = await ask(run.runtimeDirectory, { type: 'census', version: CONTROL_VERSION, start });
  if (reply.type !== 'census') throw new Error(JSON.stringify(reply));
  return reply.census;
}

async function why(run: Run, ...more: string[]): Promise<WhyReport> {
  const command = cowherd(['why', '--json', '--runtime-dir', run.runtimeDirectory, ...more]);
  expect(await command.ended, command.stderr).toEqual({ status: 0, signal: null });
  return JSON.parse(command.stdout) as WhyReport;
}

/** In percent of the unshared pages; null for what nobody is known to hold. */
function partsByModule({ workers }: WhyReport): [module: string | null, percent: number][] {
  return (workers[0]?.modules ?? []).map(({ module, percent }) => [module, percent]);
}

/** A census under way whose scout is held, so that there is time to look. */
async function withHeldScout(run: Run): Promise<number> {
  expect((await census(run, true)).phase).toBe('under_way');
  const scout = await until('a scout', () => run.processes.find(({ name }) => name === 'cowherd-scout'));
  process.kill(scout.pid, 'SIGSTOP');
  return scout.pid;
}

function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((descriptor) => readlinkSync(`/proc/${pid}/fd/${descriptor}`));
}

function filesOf(run: Run): string[] {
  return readdirSync(run.runtimeDirectory).filter((name) => name.startsWith('census-'));
}

test('the module that holds the written rows owns their pages, and the census is taken once', async () => {
  const run = await serving(['shop:app', '--workers', '1'], { files: TABLES });
  await run.get('/write');

  const report = await why(run);
  expect(report.reference).toMatchObject({ has_census: true, census_problem: null });
  expect(report.reference.policy).not.toBeNull();
  const [first, second] = partsByModule(report);
  expect([first?.[0], second?.[0]]).toEqual(['stock_table', 'price_table']);
  const [ofStock, ofPrice] = [first?.[1] ?? 0, second?.[1] ?? 0];
  expect(Math.abs((100 * ofStock) / (ofStock + ofPrice) - 60)).toBeLessThan(3);
  // The rest is the interpreter's own, and under freeze the counts of all that was read.
  expect(ofStock + ofPrice).toBeGreaterThan(80);

  // The same of the worker by its pid.
  const [worker] = await run.workers();
  const ofWorker = await why(run, String(worker?.pid));
  expect(ofWorker.reference).toMatchObject({
    pid: report.reference.pid,
    has_census: true,
    policy: report.reference.policy,
  });
  expect(partsByModule(ofWorker)[0]?.[0]).toBe('stock_table');

  // By their types alone nobody knows.
  const without = await why(run, '--no-census');
  expect(without.reference).toMatchObject({ has_census: false, census_problem: null });
  expect(partsByModule(without)[0]?.[0]).toBeNull();
  expect(partsByModule(without).map(([module]) => module)).not.toContain('stock_table');

  expect((await why(run)).reference.has_census).toBe(true);
  expect(run.messages.filter((line) => line.startsWith('A census of generation 1'))).toHaveLength(1);
  expect(filesOf(run)).toEqual(['census-1']);
  await run.stop();
});

test('a mold forks while its scout walks, and a scout that is killed costs nothing but the census', async () => {
  const run = await serving(['shop:app', '--workers', '1'], { files: TABLES });
  const scout = await withHeldScout(run);
  expect(processInfo(scout)?.ppid).toBe((await run.status()).molds[0]?.pid);
  // Asked again, no other one is sent.
  expect((await census(run, true)).phase).toBe('under_way');
  expect(run.processes.filter(({ name }) => name === 'cowherd-scout')).toHaveLength(1);

  await run.command('scale', '3', '--runtime-dir', run.runtimeDirectory);
  const workers = await until('three ready workers', async () => {
    const all = await run.workers();
    return all.length === 3 && all.every(({ state }) => state === 'ready') ? all : null;
  });
  expect(workers.map(({ pid }) => pid)).not.toContain(scout);
  // They have inherited nothing of it.
  for (const { pid } of workers) expect(openFiles(pid)).not.toContain('anon_inode:[pidfd]');

  process.kill(scout, 'SIGKILL');
  await until('the mold has told of it', async () => (await census(run, false)).phase === 'failed');
  expect(await census(run, false)).toMatchObject({
    // It may have been held before it came to the census.
    reason: expect.stringMatching(/^the scout was killed by SIGKILL \(it was to (?:start|take the census)\)$/),
  });
  expect(filesOf(run)).toEqual([]);
  // Asked after that, another one is sent.
  expect((await why(run)).reference.has_census).toBe(true);
  expect((await run.workers()).map(({ pid }) => pid)).toEqual(workers.map(({ pid }) => pid));
  await run.stop();
});

test('with its mold goes a scout, and with it all that was written', async () => {
  const run = await serving(['shop:app', '--workers', '1'], { files: TABLES });
  const scout = await withHeldScout(run);
  const mold = (await run.status()).molds[0]?.pid ?? 0;
  const [worker] = await run.workers();
  process.kill(mold, 'SIGKILL');
  await until('the scout has ended', () => isGone(scout));
  await until('another mold is ready', async () => {
    const [next] = (await run.status()).molds;
    return next?.phase === 'ready' && next.pid !== mold;
  });
  expect(filesOf(run)).toEqual([]);
  expect((await run.workers())[0]?.pid).toBe(worker?.pid);
  expect((await census(run, false)).phase).toBe('none');
  await run.stop();
});

test('a supervisor that adopts the herd hears what the scout has told meanwhile', async () => {
  const args = ['shop:app', '--workers', '1', '--bind', '127.0.0.1:0'];
  const first = await serving(args, { files: TABLES });
  const scout = await withHeldScout(first);
  first.signal('SIGKILL');
  await first.ended;
  process.kill(scout, 'SIGCONT');
  await until('the scout has ended', () => isGone(scout));
  const second = serve(args, { cwd: first.folder, runtimeDirectory: first.runtimeDirectory });
  await second.waitForText(/Adopted the herd/);
  await until('it has heard of it', async () => (await census(second, false)).phase === 'written');
  expect((await why(second)).reference.has_census).toBe(true);
  await second.stop();
  await first.expectNothingLeft();
});

test.each([
  ['keeper', 'cowherd-keeper'],
  ['herd', null],
])('nothing is left of a scout when the %s ends', async (_what, name) => {
  const run = await serving(['shop:app', '--workers', '1'], { files: TABLES });
  const scout = await withHeldScout(run);
  if (name !== null) {
    process.kill(run.processes.find((each) => each.name === name)?.pid ?? 0, 'SIGKILL');
    await until('the scout has ended', () => isGone(scout));
    await run.waitForText(/Starting afresh, with a new keeper/);
    await until('workers again', async () => (await run.status()).herd.workers_ready === 1);
    expect(filesOf(run)).toEqual([]);
  }
  await run.stop();
  // Killed, it needs the processor to end, of which it gets little on a busy machine.
  await until('the scout has ended', () => isGone(scout));
});
