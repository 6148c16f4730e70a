/** `cowherd heal` and `serve --heal`, on real herds whose workers have run full collections; a setting of the host is changed and put back. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { HealReport } from '../src/cli/heal/heal-report.ts';
import { isMergeable, KSM_FOLDER, readKsmSettings, whyNoMerging } from '../src/procfs/ksm.ts';
import { readSmapsRollup } from '../src/procfs/smaps-rollup.ts';
import { KsmSwitch } from '../src/supervisor/ksm/ksm-switch.ts';
import { APPS, cowherd, PYTHON, ROOT, type Run, serving } from './support/cowherd.ts';
import { fetchFrom } from './support/http.ts';
import { needs, ROOT_NEEDED, where } from './support/needs.ts';
import { until } from './support/until.ts';

const MIB = 1024 * 1024;
/** Some 30 MiB, of which each worker copies nearly all: three together pass the limits of the rule. */
const OBJECTS = 180_000;
const problem = whyNoMerging();
const before = readKsmSettings();
/** Another one's merging would be in the way of what is measured. */
const missing =
  problem === null
    ? where(before?.run === 0, 'needs KSM off: another one merges here')
    : `needs KSM, which is ${problem.kind} here`;

afterAll(() => {
  new KsmSwitch().recover();
});

/** Played in the mold, so that what a first collection changes for good is shared. */
const COLLECTED = Array.from({ length: 3 }, () => ['--warmup', 'GET /collect']).flat();

async function herd(...more: readonly string[]): Promise<Run> {
  return await serving(
    ['collecting_app:app', '--chdir', APPS, '--policy', 'stock', '--workers', '3', ...COLLECTED, ...more],
    { env: { OBJECTS: String(OBJECTS) } },
  );
}

/** Has each worker run a full collection. */
async function collectInAll(run: Run, count = 3): Promise<number[]> {
  const done = new Set<number>();
  await until('every worker has collected', async () => {
    const answers = await Promise.all(Array.from({ length: 4 }, () => run.get('/collect')));
    for (const { text } of answers) done.add(Number(text));
    return done.size >= count;
  });
  return [...done];
}

async function pssOf(run: Run): Promise<number> {
  const { molds, workers } = await run.status();
  const pids = [...molds.map(({ pid }) => pid ?? 0), ...workers.map(({ pid }) => pid)];
  return pids.reduce((sum, pid) => sum + (readSmapsRollup(pid)?.pss ?? 0), 0);
}

function heal(run: Run, ...options: readonly string[]): Run {
  return cowherd(['heal', '--runtime-dir', run.runtimeDirectory, ...options]);
}

async function untilMerging(): Promise<void> {
  await until('KSM is on', () => Promise.resolve(readKsmSettings()?.run === 1));
}

describe('heal', needs(missing), () => {
  test('wins back what collections have copied, and leaves the host as it was', async () => {
    const run = await herd();
    const whole = await pssOf(run);
    const workers = await collectInAll(run);
    const damaged = await pssOf(run);
    expect(damaged - whole).toBeGreaterThan(60 * MIB);

    // Nothing is done without a yes.
    const unasked = heal(run);
    expect(await unasked.ended).toEqual({ status: 60, signal: null });
    expect(unasked.stderr).toMatch(/^Error CONFIRMATION_NEEDED/);
    for (const [answer, status] of [
      ['n\n', 60],
      ['\u0003', 130],
    ] as const) {
      const asked = cowherd(['heal', '--runtime-dir', run.runtimeDirectory], { terminal: true });
      await asked.waitForText(/run +0 -> 1[^]*Go on\?/);
      asked.type(answer);
      expect((await asked.ended).status, asked.stdout).toBe(status);
    }
    expect(workers.filter(isMergeable)).toEqual([]);
    expect(readKsmSettings()).toEqual(before);

    // Interrupted as soon as it has begun: all is put back.
    const interrupted = heal(run, '--yes');
    await untilMerging();
    interrupted.signal('SIGINT');
    expect(await interrupted.ended, interrupted.stderr).toEqual({ status: 130, signal: null });
    expect(interrupted.stdout).toContain('Interrupted after');
    expect(readKsmSettings()).toEqual(before);
    expect(workers.filter(isMergeable)).toEqual(workers);

    const healed = heal(run, '--yes', '--json');
    expect(await healed.ended, healed.stderr).toEqual({ status: 0, signal: null });
    const report = JSON.parse(healed.stdout) as HealReport;
    expect(report).toMatchObject({ end: 'settled', policy: 'stock', not_mergeable: [], host: { put_back: true } });
    expect(report.host.changed.map(({ file }) => file)).toContain('run');
    expect(report.processes).toHaveLength(4);
    expect(report.samples.at(-1)?.host.pages_sharing).toBeGreaterThan(1000);
    expect(damaged - (await pssOf(run))).toBeGreaterThan(0.8 * (damaged - whole));
    expect(readKsmSettings()).toEqual(before);

    // Kept, it goes on at the pace of the host; and where it is on already nothing is changed, and nothing asked.
    try {
      const kept = heal(run, '--yes', '--keep', '--seconds', '0.1');
      expect(await kept.ended, kept.stderr).toEqual({ status: 0, signal: null });
      expect(readKsmSettings()).toEqual({ ...before, run: 1 });
      const second = heal(run, '--seconds', '0.1');
      expect(await second.ended, second.stderr).toEqual({ status: 0, signal: null });
      expect(second.stdout).toContain('KSM was on before');
    } finally {
      writeFileSync(path.join(KSM_FOLDER, 'run'), '0');
    }

    // What is merged serves, is copied when it is written, and workers that come later may be merged too.
    expect((await collectInAll(run)).toSorted()).toEqual(workers.toSorted());
    expect((await pssOf(run)) - whole).toBeGreaterThan(0.8 * (damaged - whole));
    await run.command('scale', '4', '--runtime-dir', run.runtimeDirectory);
    const newest = await until('a fourth worker', async () =>
      (await run.workers()).find(({ pid, state }) => state === 'ready' && !workers.includes(pid)),
    );
    expect(isMergeable(newest.pid)).toBe(true);
    await run.stop();
  });

  test('by rule: begins by itself, and a stop in the midst of it leaves the host as it was', async () => {
    const run = await herd('--heal', '--sampling-budget', '10');
    await collectInAll(run);
    await untilMerging();
    expect((await run.status()).herd.heal).toMatchObject({ on: true, count: 1, stopped: null });
    expect(run.messages.join('\n')).toMatch(/Healing: 3 worker\(s\) have [\d.]+ MiB unshared/);
    await run.stop();
    expect(readKsmSettings()).toEqual(before);
  });
});

describe('another server', needs(missing), () => {
  let server: ChildProcess | null = null;
  afterEach(async () => {
    if (server === null) return;
    const ended = once(server, 'exit');
    server.kill('SIGQUIT');
    await ended;
    server = null;
  });

  async function gunicorn(...options: readonly string[]): Promise<{ pid: number; address: string }> {
    const started = spawn(
      PYTHON,
      ['-m', 'gunicorn', 'collecting_app:app', '--preload', '--workers', '2', '--bind', '127.0.0.1:0', ...options],
      {
        cwd: APPS,
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, OBJECTS: String(OBJECTS), PYTHONPATH: path.join(ROOT, 'agent') },
      },
    );
    server = started;
    let log = '';
    started.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    const address = await until('gunicorn listens', () =>
      Promise.resolve(/Listening at: (\S+)/.exec(log)?.[1] ?? null),
    );
    await until('both workers', () => Promise.resolve([...log.matchAll(/Booting worker/g)].length === 2));
    return { pid: started.pid ?? 0, address };
  }

  test('whose processes allow nothing can’t be healed, and is told how it could be', async () => {
    const { pid } = await gunicorn();
    const run = cowherd(['heal', String(pid), '--yes']);
    expect(await run.ended).toEqual({ status: 61, signal: null });
    expect(run.stderr).toContain('docs/heal.md');
    expect(readKsmSettings()).toEqual(before);
  });

  test('that allows it in a hook is healed, named by any of its processes', async () => {
    const config = path.join(ROOT, 'bench', 'lib', 'allow_merging.py');
    const { pid, address } = await gunicorn('--config', config);
    const workers = new Set<number>();
    await until('both workers have collected', async () => {
      workers.add(Number((await fetchFrom(address, '/collect')).text));
      return workers.size === 2;
    });
    const [worker] = workers;
    const run = cowherd(['heal', String(worker), '--yes', '--json']);
    expect(await run.ended, run.stderr).toEqual({ status: 0, signal: null });
    const report = JSON.parse(run.stdout) as HealReport;
    expect(report).toMatchObject({ target: `the server of process ${pid}`, policy: null, end: 'settled' });
    expect(report.processes.toSorted()).toEqual([pid, ...workers].toSorted());
    expect(report.won).toBeGreaterThan(20 * MIB);
    expect(readKsmSettings()).toEqual(before);
  });
});

test('who is not root is told what it takes', needs(ROOT_NEEDED, missing), async (context) => {
  const prefix = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const [command, ...rest] = [...prefix, process.execPath, '--version'];
  const [status] = (await once(spawn(command, rest, { stdio: 'ignore', cwd: ROOT }), 'exit')) as [number];
  // The checkout, or Node, may be out of that user's reach.
  context.skip(status !== 0, 'another user can reach neither the checkout nor Node');
  const run = cowherd(['heal', '--yes'], { prefix, cwd: '/' });
  const { status: ended } = await run.ended;
  context.skip(/EACCES|MODULE_NOT_FOUND/.test(run.stderr), 'another user can not reach the checkout');
  expect(ended, run.stderr).toBe(59);
  expect(run.stderr).toContain('sudo cowherd heal');
});

test(
  'where nothing can be merged, it says what is missing',
  needs(where(problem !== null, 'needs a machine without KSM')),
  async () => {
    const run = cowherd(['heal', '--yes']);
    const { status } = await run.ended;
    expect([58, 59]).toContain(status);
    expect(readFileSync(path.join(ROOT, 'docs', 'errors.md'), 'utf8')).toContain(`| ${status} |`);
  },
);
