/** `cowherd record`, on a real gunicorn and on real herds whose workers copy pages for known reasons. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Profile as Pprof } from 'pprof-format';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { catalogue } from '../src/base/error-catalogue.ts';
import type { ErrorCode } from '../src/base/errors.ts';
import { chooseInstrument } from '../src/faults/recording/instrument.ts';
import type { RecordReport } from '../src/faults/recording/report.ts';
import type { SpeedscopeFile } from '../src/faults/formats/speedscope.ts';
import { readKernelFacts } from '../src/procfs/kernel.ts';
import { cowherd, PYTHON, type Run, serving, temporaryFolder } from './support/cowherd.ts';
import { FEED, prepareFeed } from './support/feed.ts';
import { fetchFrom } from './support/http.ts';
import { needs, ROOT_NEEDED } from './support/needs.ts';
import { kill } from './support/processes.ts';
import { HAS_SYMBOLS, NAMES_FUNCTIONS } from './support/this-python.ts';
import { until } from './support/until.ts';

const missing = whyNoRecording();
/** The name that the collector's faults get: without symbols the collector can't be recognized. */
const COLLECTOR = HAS_SYMBOLS ? 'collector' : 'other';
const SECRET = 'the-secret-of-4711';

/** An application that reads and writes its shared heap in known ways. */
const APP = `
import gc, os
KEPT = {"password": ${JSON.stringify(SECRET)} + str(os.getpid())}
HEAP = [(str(number) + ${JSON.stringify(SECRET)}, [number]) for number in range(40000)]

def read_everything():
    return sum(len(text) + len(numbers) for text, numbers in HEAP)

def app(environ, start_response):
    if environ["PATH_INFO"] == "/collect":
        gc.collect()
    if environ["PATH_INFO"] == "/read":
        read_everything()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
`;

function whyNoRecording(): string | null {
  try {
    execFileSync('perf', ['--version'], { stdio: 'ignore' });
    chooseInstrument({ kernel: readKernelFacts(), architecture: process.arch, tracefsMounted: true });
    return null;
  } catch (error) {
    return `needs perf and its events: ${error instanceof Error ? error.message : String(error)}`;
  }
}

interface Gunicorn {
  readonly pid: number;
  readonly address: string;
}

const started: ChildProcess[] = [];
let folder = '';
/** Environment of the bundled application. */
let environment: Record<string, string> = {};

/** A plain gunicorn with the bundled application. Each request ends with a full collection. */
async function gunicorn(workers: number): Promise<Gunicorn> {
  const config = path.join(folder, 'gunicorn.conf.py');
  writeFileSync(config, 'import gc\ndef post_request(worker, request, environ, response):\n    gc.collect()\n');
  const common = ['--config', config, '--bind', '127.0.0.1:0', '--control-socket', path.join(folder, 'gunicorn.ctl')];
  const child = spawn(PYTHON, ['-m', 'gunicorn', 'feed.wsgi', '--preload', '--workers', String(workers), ...common], {
    cwd: FEED,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  started.push(child);
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const address = await until(
    () => log,
    () => (log.match(/Booting worker/g)?.length === workers ? /Listening at: (\S+)/.exec(log)?.[1] : null),
  );
  return { pid: child.pid ?? 0, address };
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.trim().split(' ').filter(Boolean).map(Number);
}

/** Starts a recording, runs `during` as soon as it has begun, and then ends the recording. */
async function record(args: readonly string[], during: () => Promise<unknown>): Promise<Run> {
  const run = cowherd(['record', '--seconds', '600', ...args]);
  await run.waitForText(/^Recording /m);
  await during();
  // Interrupted, it reports what it has recorded so far.
  run.signal('SIGINT');
  expect(await run.ended, run.stderr).toEqual({ status: 0, signal: null });
  return run;
}

function reportOf(run: Run): RecordReport {
  return JSON.parse(run.stdout) as RecordReport;
}

async function expectError(run: Run, code: ErrorCode, detail: RegExp = /./): Promise<void> {
  expect(await run.ended, run.stderr).toEqual({ status: catalogue[code].exitStatus, signal: null });
  expect(run.stderr).toMatch(`Error ${code}: ${catalogue[code].title}`);
  expect(run.stderr).toMatch(detail);
}

beforeAll(() => {
  folder = temporaryFolder();
  environment = prepareFeed(folder);
});

afterEach(async () => {
  for (const child of started.splice(0)) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a recording', needs(missing), () => {
  test('of gunicorn: its collector, in every format; nothing of its memory; no file is replaced', async () => {
    const { pid, address } = await gunicorn(2);
    const out = (name: string): string => path.join(folder, name);
    const files = { html: out('f.html'), speedscope: out('f.json'), pprof: out('f.pb.gz'), collapsed: out('f.txt') };
    const outputs = Object.entries(files).flatMap(([name, file]) => [`--${name}`, file]);
    const ask = async (): Promise<void> => {
      // A worker that answers again has finished the collection of its previous request.
      for (let count = 0; count < 3; count += 1) {
        await Promise.all(Array.from({ length: 4 }, () => fetchFrom(address, '/healthz')));
      }
    };
    const run = await record([String(pid), '--json', '--counters', ...outputs], ask);

    const report = reportOf(run);
    expect(report.causes[COLLECTOR].percent).toBeGreaterThan(75);
    expect(report.causes[COLLECTOR].faults).toBeGreaterThan(1000);
    expect(report.lost_percent).toBeLessThan(1);
    expect(report.parent).toBe(pid);
    expect(report.processes.map((each) => each.pid).toSorted()).toEqual(childrenOf(pid).toSorted());
    const { buckets } = report.over_time;
    expect(buckets.reduce((sum, bucket) => sum + bucket[COLLECTOR], 0)).toBe(report.causes[COLLECTOR].faults);
    expect(report.counters?.map(({ group, processes }) => [group, processes.length])).toEqual([
      ['parent', 1],
      ['workers', 2],
    ]);

    const speedscope = JSON.parse(readFileSync(files.speedscope, 'utf8')) as SpeedscopeFile;
    expect(speedscope.profiles[0]?.endValue).toBe(report.bytes);
    const pprof = Pprof.decode(gunzipSync(readFileSync(files.pprof)));
    expect(pprof.sample.reduce((sum, { value }) => sum + Number(value[0]), 0)).toBe(report.faults);
    const lines = readFileSync(files.collapsed, 'utf8').trimEnd().split('\n');
    expect(lines.reduce((sum, line) => sum + Number(/ (\d+)$/.exec(line)?.[1]), 0)).toBe(report.faults);
    expect(readFileSync(files.html, 'utf8')).toContain('<div id="graph"');

    await expectError(cowherd(['record', String(pid), ...outputs]), 'OUTPUT_EXISTS', /f\.json/);
    await expectError(cowherd(['record', String(pid), '--html', '/proc/nowhere/f.html']), 'USAGE', /ENOENT/);
  });

  test('by the software event: the same faults, recognized by the pages that were shared', async () => {
    const { pid, address } = await gunicorn(1);
    const [worker = 0] = childrenOf(pid);
    const args = ['--json', '--event', 'software'];
    const ask = async (): Promise<void> => {
      for (let count = 0; count < 2; count += 1) await fetchFrom(address, '/healthz');
    };
    const before = minorFaults(worker);
    const run = await record([String(worker), ...args], ask);
    const report = reportOf(run);
    expect(report.instrument).toMatchObject({ name: 'software', event: 'page-faults:u' });
    expect(report.causes[COLLECTOR].percent).toBeGreaterThan(75);
    expect(report.faults).toBeGreaterThan(500);
    expect(report.faults).toBeLessThanOrEqual(minorFaults(worker) - before);
    // A second collection writes to the same pages, which are private now.
    const again = await record([String(worker), ...args], ask);
    expect(reportOf(again).faults).toBeLessThan(report.faults / 10);
  });

  test('of a herd from the fork on: the next worker is followed, with the names of its functions where there are any', async () => {
    const files = { 'shop.py': APP };
    const run = await serving(['shop:app', '--workers', '1', '--policy', 'stock', '--perf-names'], { files });
    const [old] = await run.workers();
    const args = ['--runtime-dir', run.runtimeDirectory, '--from-fork', '--seconds', '300', '--call-graph', 'dwarf'];
    const html = path.join(folder, 'fork.html');
    const collapsed = path.join(folder, 'fork.txt');
    const recording = cowherd(['record', ...args, '--json', '--html', html, '--collapsed', collapsed]);
    await recording.waitForText(/^Recording /m);
    kill([old!.pid]);
    const next = await until('there is another worker', async () =>
      (await run.workers()).find(({ pid, state }) => pid !== old!.pid && state === 'ready'),
    );
    await run.get('/read');
    if (NAMES_FUNCTIONS) await until('the functions have names', () => existsSync(`/tmp/perf-${next.pid}.map`));
    else
      expect(run.messages.join('\n')).toMatch(/perf_names: it needs CPython 3\.12 .*; Python functions stay unnamed/);
    // Interrupted, it reports what it has recorded so far.
    recording.signal('SIGINT');
    expect(await recording.ended, recording.stderr).toEqual({ status: 0, signal: null });

    const report = reportOf(recording);
    expect(report.seconds).toBeLessThan(300);
    expect(report.from_fork).toBe(true);
    // On a busy machine perf may lose records, also that of the worker's new name.
    const name = report.lost === 0 ? 'cowherd-worker' : (expect.any(String) as string);
    expect(report.processes.find(({ pid }) => pid === next.pid)).toMatchObject({ name });
    expect(report.processes.map(({ pid }) => pid)).not.toContain(report.parent);
    const python = report.python_functions.find(({ name }) => name.startsWith('read_everything'));
    if (NAMES_FUNCTIONS) {
      expect(python).toMatchObject({ file: path.join(run.folder, 'shop.py') });
      expect(python!.faults).toBeGreaterThan(100);
    } else {
      expect(report.python_functions).toEqual([]);
    }
    for (const file of [html, collapsed]) {
      const text = readFileSync(file, 'utf8');
      expect(text.includes('read_everything')).toBe(NAMES_FUNCTIONS);
      expect(text).not.toContain(SECRET);
    }
    expect(recording.stdout + recording.stderr).not.toContain(SECRET);

    await run.stop();
    const left = readdirSync('/tmp').filter((name) => [old, next].some((each) => name === `perf-${each!.pid}.map`));
    expect(left).toEqual([]);
  });

  test('ends with the last process that it records, and is printed as a table', async () => {
    const { pid, address } = await gunicorn(1);
    const [worker = 0] = childrenOf(pid);
    const run = cowherd(['record', String(worker), '--seconds', '600', '--counters']);
    await run.waitForText(/^Recording /m);
    // The second request is answered when the first one's collection is over.
    for (let count = 0; count < 2; count += 1) await fetchFrom(address, '/healthz');
    kill([worker]);
    expect(await run.ended, run.stderr).toEqual({ status: 0, signal: null });
    expect(run.stdout).toMatch(/^python, worker \d+ of \d+: [\d,]+ faults, [\d.]+ MiB copied in \d+\.\d s; none lost/);
    expect(run.stdout).toMatch(new RegExp(String.raw`^${COLLECTOR} +[\d,]+ +[\d.]+ +\d+\.\d%$`, 'm'));
    expect(run.stdout.includes('in code without symbols')).toBe(!HAS_SYMBOLS);
    expect(run.stdout).toMatch(/hardware counters|instructions per cycle/);
  });

  test('ends by itself when its time is over', async () => {
    const { pid } = await gunicorn(1);
    const run = cowherd(['record', String(pid), '--seconds', '0.5', '--json']);
    expect(await run.ended, run.stderr).toEqual({ status: 0, signal: null });
    expect(reportOf(run).seconds).toBeGreaterThanOrEqual(0.5);
  });
});

function minorFaults(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[7]);
}

describe('an imported recording', needs(missing), () => {
  let data = '';
  let text = '';

  const imported = (file: string): Run => cowherd(['record', '--import', file, '--json']);

  beforeAll(async () => {
    data = path.join(folder, 'perf.data');
    text = path.join(folder, 'perf.txt');
    const program = 'import os, gc; heap = [[n] for n in range(20000)]; os.fork() or gc.collect()';
    const events = ['-e', 'page-faults:u', '-c', '1', '-g'];
    // On a busy machine perf may lose records. It says so in its data, and not in its text.
    for (let lost = true; lost;) {
      execFileSync('perf', ['record', '-q', ...events, '-o', data, '--', PYTHON, '-c', program], { stdio: 'pipe' });
      const run = imported(data);
      expect(await run.ended, run.stderr).toEqual({ status: 0, signal: null });
      lost = reportOf(run).lost > 0;
    }
    writeFileSync(text, execFileSync('perf', ['script', '-i', data], { stdio: 'pipe', maxBuffer: 2 ** 28 }));
  });

  test('is read, and gives the same report as its text form', async () => {
    const [fromData, fromText] = [imported(data), imported(text)];
    for (const run of [fromData, fromText]) expect(await run.ended, run.stderr).toEqual({ status: 0, signal: null });
    const report = reportOf(fromData);
    expect(report.faults).toBeGreaterThan(500);
    expect(report.functions.map(({ name }) => name)).toContain(
      HAS_SYMBOLS ? 'gc_collect_main' : `[${path.basename(realpathSync(PYTHON))}]`,
    );
    // Left out: times, which the text has in microseconds only, and the title.
    const same = { title: '', taken_at: '', seconds: 0 };
    expect({ ...reportOf(fromText), ...same }).toEqual({ ...report, ...same });
    await expectError(cowherd(['record', '1', '--import', data]), 'USAGE');
  });

  test('that is cut, damaged, empty or something else is a clear error', async () => {
    const damaged = (name: string, content: Buffer | string): string => {
      const file = path.join(folder, name);
      writeFileSync(file, content);
      return file;
    };
    const whole = readFileSync(data);
    const lines = readFileSync(text, 'utf8');
    const bad: Record<string, [file: string, why: RegExp]> = {
      cut: [damaged('cut.data', whole.subarray(0, whole.length / 2)), /it is truncated: \d+ of at least \d+ bytes/],
      head: [damaged('head.data', whole.subarray(0, 40)), /its header is incomplete/],
      empty: [damaged('empty.data', ''), /it is empty/],
      'cut text': [damaged('cut.txt', lines.slice(0, lines.indexOf('\n', 5000) + 5)), /middle of a line/],
      'another text': [damaged('other.txt', 'hello\nworld\n'), /line 1 is not output of perf script/],
      'another file': [damaged('other.bin', Buffer.from([1, 0, 2, 0])), /neither a perf\.data file nor text/],
      'other events': [damaged('cycles.txt', 'p 1/1 2.0: cycles:u:\n\n'), /no page fault, only cycles:u/],
      'a folder': [folder, /it is not a file/],
      nothing: [path.join(folder, 'nowhere'), /ENOENT/],
    };
    // In parallel, since each is mostly a start of Node.
    const runs = Object.values(bad).map(([file, why]) => [imported(file), why] as const);
    for (const [run, why] of runs) await expectError(run, 'RECORDING_UNREADABLE', why);
  });

  test('with any bytes changed is read or refused, and never an internal error', async () => {
    const size = readFileSync(data).length;
    const files = [0.1, 0.3, 0.5, 0.7].map((part, index) => {
      const file = path.join(folder, `changed-${index}.data`);
      writeFileSync(file, readFileSync(data));
      const descriptor = openSync(file, 'r+');
      writeSync(descriptor, Buffer.alloc(64, 0xa5 + index), 0, 64, Math.floor(size * part));
      closeSync(descriptor);
      return file;
    });
    for (const run of files.map(imported)) {
      const { status } = await run.ended;
      expect([0, catalogue.RECORDING_UNREADABLE.exitStatus], run.stderr).toContain(status);
    }
  });
});

describe('without its requirements', () => {
  /** A false perf that answers like a real one that fails. */
  function standIn(script: string): Record<string, string> {
    const bin = temporaryFolder();
    writeFileSync(path.join(bin, 'perf'), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(bin, 'perf'), 0o755);
    return { PATH: `${bin}:/usr/bin:/bin` };
  }

  test('no perf', async () => {
    const empty = temporaryFolder();
    await expectError(cowherd(['record'], { env: { PATH: empty } }), 'PERF_MISSING', /Install it/);
    const notThere = standIn('echo "WARNING: perf not found for kernel 5.15.0-91" >&2; exit 2');
    await expectError(cowherd(['record'], { env: notThere }), 'PERF_MISSING', /not found for kernel 5\.15/);
  });

  test('a perf that is too old', async () => {
    await expectError(cowherd(['record'], { env: standIn('echo perf version 4.19.37') }), 'PERF_TOO_OLD', /perf 4\.19/);
  });

  test('a kernel that refuses', async () => {
    const refusal = `
case "$1" in
--version) echo perf version 6.1.187;;
record) printf 'Error:\\nAccess to performance monitoring and observability operations is limited.\\n' >&2; exit 255;;
esac`;
    const run = await serving(['shop:app', '--workers', '1'], { files: { 'shop.py': APP } });
    const args = ['record', '--runtime-dir', run.runtimeDirectory];
    await expectError(cowherd(args, { env: standIn(refusal) }), 'PERF_NOT_ALLOWED', /Access to .* is limited/);
    await run.stop();
  });

  test('no such process, none that was forked, no herd', needs(missing), async () => {
    await expectError(cowherd(['record', '4194305']), 'PROCESS_NOT_FOUND');
    await expectError(cowherd(['record', String(process.pid)]), 'NOT_FORKED');
    await expectError(cowherd(['record']), 'NOT_RUNNING');
  });

  test('a process of another user', needs(ROOT_NEEDED, missing), async () => {
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    await expectError(cowherd(['record', '1'], { prefix: nobody }), 'PROCESS_NOT_READABLE', /CAP_SYS_PTRACE/);
  });
});
