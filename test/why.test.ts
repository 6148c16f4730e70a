/** `cowherd why` on real processes: programs whose writes are known, real servers, and targets that can't be read. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type FoundPython, findPythons } from '../bench/why/interpreters.ts';
import { type Deed, judge, type Judged, KnownProgram } from '../bench/why/ground-truth.ts';
import { NO_CENSUS } from '../src/forensics/compare/coming-census.ts';
import { lookAtShare } from '../src/forensics/look/look-share.ts';
import type { WhyReport } from '../src/forensics/answer/report.ts';
import { cowherd, PYTHON, type Run, serving, temporaryFolder } from './support/cowherd.ts';
import { interpreter } from './support/interpreters.ts';
import { needs, ROOT_NEEDED, where } from './support/needs.ts';
import { processInfo } from './support/processes.ts';
import { until } from './support/until.ts';

const HEAP_MIB = 20;
const PLANTED = ['planted-secret-in-a-string', 'planted-secret-in-bytes', 'planted-secret-as-a-key'];

const programs: KnownProgram[] = [];
const children: ChildProcess[] = [];

afterEach(async () => {
  for (const program of programs.splice(0)) await program.stop();
  for (const child of children.splice(0)) {
    const ended = child.exitCode !== null || child.signalCode !== null ? null : once(child, 'exit');
    // The process group, which includes everything that it has forked.
    kill(-(child.pid ?? 0));
    await ended;
  }
});

async function started(python: FoundPython, deed: Deed): Promise<KnownProgram> {
  const program = await KnownProgram.start(python, deed, HEAP_MIB, 1, temporaryFolder());
  programs.push(program);
  return program;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has already ended.
  }
}

/** Starts a command in a new process group. */
function start(command: string, ...args: string[]): ChildProcess & { pid: number } {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  children.push(child);
  return Object.assign(child, { pid: child.pid ?? 0 });
}

/** Starts a Python program, and waits until it prints the pid of a process. */
async function pidPrintedBy(
  program: string,
  python = PYTHON,
): Promise<{ parent: ChildProcess & { pid: number }; pid: number }> {
  const parent = start(python, '-c', program);
  const [text] = (await once(parent.stdout ?? parent, 'data')) as [Buffer];
  return { parent, pid: Number(String(text)) };
}

async function why(...args: string[]): Promise<Run> {
  const run = cowherd(['why', ...args]);
  await run.ended;
  return run;
}

async function reportOf(...args: string[]): Promise<WhyReport> {
  const run = await why('--json', ...args);
  expect(run.ending, run.stderr).toEqual({ status: 0, signal: null });
  return JSON.parse(run.stdout) as WhyReport;
}

/**
 * The percentage of wrong causes among the pages that a program has written to. Other pages, from the interpreter's own
 * writes and the program's notes of its deeds, are left out, since they are a large part of so small a heap;
 * `make bench-why` counts them too.
 */
function wrongPercent({ unsharedPages, mistakes }: Judged): number {
  const counts = Object.entries(mistakes);
  const sum = (ofProgram: boolean): number =>
    counts
      .filter(([name]) => name.startsWith('(not written by the program)') !== ofProgram)
      .reduce((total, [, pages]) => total + pages, 0);
  return (100 * sum(true)) / (unsharedPages - sum(false));
}

describe('programs whose writes are known', () => {
  const pythons = findPythons('3.9');

  test.each(pythons)('causes and their shares, on CPython $version', async (python) => {
    const judged = judge(await started(python, 'mix'));
    const { reference, workers } = judged.asked.report;
    const about = JSON.stringify({ mistakes: judged.mistakes, reference, owners: workers[0]?.owners.slice(0, 12) });
    expect(wrongPercent(judged), about).toBeLessThanOrEqual(3);
    expect(judged.unknownPercent).toBeLessThanOrEqual(5);
  });

  test.each(pythons)('owners and their shares, on CPython $version', async (python) => {
    const { asked } = judge(await started(python, 'owners'));
    const rows = (asked.report.workers[0]?.owners ?? []).filter(({ type }) => type === 'Row');
    const sum = rows.reduce((total, { bytes }) => total + bytes, 0);
    expect(rows.map(({ module }) => module)).toEqual(['planted_large', 'planted_small']);
    expect(Math.abs((100 * (rows[0]?.bytes ?? 0)) / sum - 60)).toBeLessThanOrEqual(5);
  });

  // Debian's interpreter is stripped, and has its library linked into the program.
  const system = interpreter(({ path: command }) => command === '/usr/bin/python3');
  test(
    'an interpreter without symbols and without a library',
    needs(where(system !== null, "needs the system's /usr/bin/python3")),
    async () => {
      const judged = judge(await started({ version: 'system', command: '/usr/bin/python3' }, 'mix'));
      expect(judged.asked.report.reference.problem).toBeNull();
      expect(wrongPercent(judged), JSON.stringify(judged.mistakes)).toBeLessThanOrEqual(3);
    },
  );
});

const COLLECTING = `
import gc
TABLE = [{"number": number, "text": f"${PLANTED[0]} {number}", "${PLANTED[2]}": b"${PLANTED[1]}"} for number in range(60_000)]
def app(environ, start_response):
    if environ["PATH_INFO"] == "/collect":
        gc.collect()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"done"]
`;

describe('a herd whose application runs the collector', () => {
  test('is told so: causes, the line, the policy that would have helped, and none of the stored data', async () => {
    const run = await serving(['shop:app', '--workers', '2', '--policy', 'stock', '--gc-guard', 'report'], {
      files: { 'shop.py': COLLECTING },
    });
    const herd = ['--runtime-dir', run.runtimeDirectory];
    const before = path.join(run.folder, 'before.json');
    const page = path.join(run.folder, 'why.html');
    const first = await why(...herd, '--save', before, '--json');
    expect(first.ending, first.stderr).toEqual({ status: 0, signal: null });
    for (let count = 0; count < 12; count += 1) expect((await run.get('/collect')).text).toBe('done');

    const text = await why(...herd, '--all', '--since', before, '--html', page);
    expect(text.ending, text.stderr).toEqual({ status: 0, signal: null });
    expect(text.stdout).toMatch(/[\d.]+ MiB shared at the fork, [\d.]+ MiB \(\d+%\) still shared,/);
    expect(text.stdout).toMatch(/identical +[\d,]+/);
    expect(text.stdout).toMatch(/worker \d+: lost [\d.]+ MiB (?:gc-header|identical)/);

    const report = await reportOf(...herd, '--all');
    const { workers, advice, reference } = report;
    expect(workers).toHaveLength(2);
    expect(reference).toMatchObject({ policy: 'stock', problem: null, is_sibling: false });
    for (const worker of workers) {
      const { identical, 'gc-header': header } = worker.causes;
      expect(identical.percent + header.percent).toBeGreaterThan(60);
    }
    const policy = advice.find(({ remedy }) => remedy === 'policy');
    expect(policy?.text).toMatch(/--policy (?:immortal|freeze)/);
    expect(policy?.bytes_won_per_worker).toBeGreaterThan(5 * 1024 * 1024);
    expect(advice.find(({ remedy }) => remedy === 'collector')?.text).toMatch(
      /gc\.collect\(\) of \S+ \(.*shop\.py:6\)/,
    );

    const html = readFileSync(page, 'utf8');
    expect(html).toMatch(/<canvas|createElement\('canvas'\)/);
    expect(html).not.toMatch(/https?:\/\/|<link|src=/);
    for (const [what, output] of Object.entries({
      text: text.stdout + text.stderr,
      json: JSON.stringify(report),
      page: Buffer.from(html).toString('latin1'),
      snapshot: readFileSync(before, 'latin1'),
    })) {
      for (const secret of PLANTED) expect(output.includes(secret), `${secret} in ${what}`).toBe(false);
    }
    for (const file of [before, page]) expect(statSync(file).mode & 0o077).toBe(0);
    await run.stop();
  });
});

test('a herd whose application renames its processes can be looked at by the pid of any of them', async () => {
  // Like setproctitle, which however also overwrites the environment, by which a test finds its processes.
  const app = `
import ctypes

def call_it(name):
    PR_SET_NAME = 15
    ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode(), 0, 0, 0)

call_it("shop: loaded")

def app(environ, start_response):
    call_it("shop: " + environ["PATH_INFO"])
    start_response("200 OK", [])
    return [b"well"]
`;
  const run = await serving(['shop:app', '--workers', '1', '--policy', 'freeze'], { files: { 'shop.py': app } });
  await run.get('/');
  const { molds, workers } = await run.status();
  const [mold, worker] = [molds[0]?.pid ?? 0, workers[0]?.pid ?? 0];
  expect([mold, worker].map((pid) => processInfo(pid)?.name)).toEqual(['shop: loaded', 'shop: /']);
  for (const pid of [mold, worker]) {
    const why = cowherd(['why', String(pid), '--json', '--no-census', '--runtime-dir', run.runtimeDirectory]);
    expect(await why.ended, why.stderr).toEqual({ status: 0, signal: null });
    const report = JSON.parse(why.stdout) as WhyReport;
    expect(report.reference.pid).toBe(mold);
    expect(report.median_pid).toBe(worker);
  }
  await run.stop();
});

describe('the report', () => {
  test('of a prefork program that is no Python: what is still shared, and which pages are the same', async () => {
    const shell = start('/bin/sh', '-c', '(while :; do sleep 1; done) & echo $!; wait');
    const [text] = (await once(shell.stdout ?? shell, 'data')) as [Buffer];
    const report = await reportOf(String(shell.pid));
    expect(report.reference).toMatchObject({ pid: shell.pid, interpreter: null, problem: 'it is not Python' });
    expect(report.workers.map(({ pid }) => pid)).toContain(Number(String(text)));
    expect((await why(String(shell.pid))).stdout).toMatch(/derived from the bytes alone: it is not Python/);
  });

  const FORKED = `
import gc, os, time
data = [[number] for number in range(50_000)]
pid = os.fork()
if pid == 0: gc.collect()
else: print(pid, flush=True)
time.sleep(600)`;
  const PYPY = existsSync('/usr/bin/pypy3') ? '/usr/bin/pypy3' : null;
  const FREE_THREADED = interpreter(({ freeThreaded }) => freeThreaded);

  async function expectBytesAlone(python: string, named: RegExp, problem: string): Promise<void> {
    const { parent, pid } = await pidPrintedBy(FORKED, python);
    const { reference, workers } = await reportOf(String(parent.pid));
    expect(reference.interpreter).toMatch(named);
    expect(reference.problem).toContain(problem);
    expect(workers.map((worker) => worker.pid)).toEqual([pid]);
    const { unknown, identical, native } = workers[0]!.causes;
    expect(unknown.percent + identical.percent + native.percent).toBeCloseTo(100);
    expect(workers[0]!.shared_at_fork).toBeGreaterThan(1024 * 1024);
  }

  test('of PyPy', needs(where(PYPY !== null, 'needs /usr/bin/pypy3')), async () => {
    await expectBytesAlone(PYPY!, /^PyPy/, 'it is PyPy, whose heap layout is not known here');
  });

  test(
    'of a free-threaded build',
    needs(where(FREE_THREADED !== null, 'needs a free-threaded CPython on this machine')),
    async () => {
      await expectBytesAlone(FREE_THREADED!, /^free-threaded CPython/, 'it is a free-threaded build');
    },
  );

  test('of workers that load the application themselves: advice to load it before the fork', async () => {
    const { parent } = await pidPrintedBy(`
import os, time
ready, told = os.pipe()
pids = [os.fork() for _ in range(2) if os.getpid() == os.getsid(0)]
if 0 in pids:
    data = [{"number": number, "text": str(number)} for number in range(60_000)]
    os.write(told, b".")
else:
    os.read(ready, 1), os.read(ready, 1)
    print(os.getpid(), flush=True)
time.sleep(600)`);
    const { workers, advice, median_pid: median } = await reportOf(String(parent.pid));
    const worker = workers.find(({ pid }) => pid === median)!;
    expect(workers).toHaveLength(2);
    expect(worker.fresh).toBeGreaterThan(15 * 1024 * 1024);
    expect(worker.fresh_alike_percent).toBeGreaterThan(80);
    expect(advice[0]).toMatchObject({ remedy: 'preload' });
    // One of the two workers could have shared it.
    expect(advice[0]!.bytes_won_per_worker / worker.fresh).toBeGreaterThan(0.25);
    expect(advice[0]!.bytes_won_per_worker / worker.fresh).toBeLessThanOrEqual(0.5);
    expect((await why(String(parent.pid))).stdout).toMatch(
      /allocated [\d.]+ MiB of its own, about \d+% of it similar to another/,
    );
  });

  test('of reserved terabytes: they are skipped, but a few written pages in them are reported', async () => {
    const { pid } = await pidPrintedBy(`
import mmap, os, time
FLAGS = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000  # MAP_NORESERVE
beyond = mmap.mmap(-1, 32 << 40, flags=FLAGS)
# Between the two, or the kernel makes one of them.
between = mmap.mmap(-1, 1 << 33, flags=FLAGS, prot=mmap.PROT_READ)
sparse = mmap.mmap(-1, 100 << 30, flags=FLAGS)
at = 70 << 30
for page in range(at, at + (8 << 20), 4096): sparse[page] = 1
beyond[0] = 1
worker = os.fork()
if worker == 0:
    for page in range(at, at + (8 << 20), 4096): sparse[page] = 2
    print(os.getpid(), flush=True)
time.sleep(600)
`);
    const report = await reportOf(String(pid));
    expect(report.reference.left_out).toBe(32 * 2 ** 40);
    const [worker] = report.workers;
    expect(worker?.unshared).toBeGreaterThanOrEqual(8 << 20);
    expect(worker?.unshared).toBeLessThan(12 << 20);
    const text = await why(String(pid));
    expect(text.stdout).toContain('Mappings of 33,554,432 MiB are too large to inspect');
  });

  test('of evil names of a process and its files: the terminal only shows them', async () => {
    const { pid } = await pidPrintedBy(`
import mmap, os, tempfile, time
open("/proc/self/comm", "w").write("\\x1b]0;P\\x07\\x1b[7m")
with tempfile.NamedTemporaryFile(prefix="lib\\x1b[2JEVIL") as file:
    file.write(bytes(4 << 20))
    file.flush()
    mapped = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE)
    for at in range(0, len(mapped), 4096): mapped[at] = 1
    worker = os.fork()
    if worker == 0:
        for at in range(0, len(mapped), 4096): mapped[at] = 2
        print(os.getpid(), flush=True)
    time.sleep(600)
`);
    const run = await why(String(pid));
    expect(run.ending, run.stderr).toEqual({ status: 0, signal: null });
    expect(run.stdout).toContain(String.raw`(\x1b]0;P\x07\x1b[7m)`);
    expect(run.stdout).toContain(String.raw`lib\x1b[2JEVIL`);
    expect(run.stdout).not.toMatch(/[^\P{C}\n]/u);
  });

  test('of a worker by its own pid: it is compared with its parent', async () => {
    const { parent, pid } = await pidPrintedBy(
      'import os, time\npid = os.fork()\nif pid: print(pid, flush=True)\ntime.sleep(600)',
    );
    const report = await reportOf(String(pid));
    expect(report).toMatchObject({ reference: { pid: parent.pid }, median_pid: pid });
  });
});

describe('what cannot be looked at', () => {
  async function refused(status: number, pattern: RegExp, ...args: string[]): Promise<void> {
    const run = await why(...args);
    expect(run.ending, run.stderr).toEqual({ status, signal: null });
    expect(run.stderr).toMatch(pattern);
    expect(run.stdout).toBe('');
  }

  test('a process that does not exist', async () => {
    await refused(46, /PROCESS_NOT_FOUND.*process 4194304/, '4194304');
  });

  test('a process that neither was forked nor has forked', async () => {
    const { pid } = start('sleep', '600');
    await until('sleep runs', () => processInfo(pid)?.name === 'sleep');
    await refused(48, new RegExp(`NOT_FORKED.*process ${pid}`), String(pid));
  });

  test('a worker whose parent is gone: the error names its siblings, which can be compared instead', async () => {
    const { parent, pid } = await pidPrintedBy(`
import os, time
first = os.fork()
if first == 0:
    time.sleep(600)
second = os.fork()
if second == 0:
    time.sleep(600)
print(first, flush=True)
time.sleep(600)
`);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    const lost = await why(String(pid));
    expect(lost.ending?.status).toBe(49);
    const sibling = new RegExp(`cowherd why ${pid} --reference (\\d+)`).exec(lost.stderr)?.[1] ?? '';
    const report = await reportOf(String(pid), '--reference', sibling);
    expect(report.reference).toMatchObject({ pid: Number(sibling), is_sibling: true });
  });

  test('a process of another user, without the privilege', needs(ROOT_NEEDED), async () => {
    const { pid } = start('sleep', '600');
    await until('sleep runs', () => processInfo(pid)?.name === 'sleep');
    // The same user without capabilities may not look into one that has them.
    const run = cowherd(['why', String(pid)], { prefix: ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--'] });
    await run.ended;
    expect(run.ending?.status, run.stderr).toBe(47);
    expect(run.stderr).toMatch(/PROCESS_NOT_READABLE.*\n.*CAP_SYS_PTRACE/);
  });

  test('a worker that ends while it is read is left out; the end of its parent is an error', async () => {
    const { parent, pid } = await pidPrintedBy(
      'import os, time\npid = os.fork()\nif pid: print(pid, flush=True)\ntime.sleep(600)',
    );
    const share = { reference: parent.pid, workers: [pid], ownersOf: [pid], pageBytes: 4096, census: null };
    let killed = false;
    const { comparisons } = lookAtShare(share, NO_CENSUS, () => {
      if (!killed) process.kill(pid, 'SIGKILL');
      killed = true;
    });
    expect(killed).toBe(true);
    // Pages that could not be read any more are counted as such, and get no cause.
    for (const { causes, unreadable } of comparisons) expect(causes.unknown).toBe(unreadable);
    expect(() => lookAtShare({ ...share, reference: 4194304 })).toThrow(/process 4194304/);
  });

  test('output files that exist already, and files that are no snapshots', async () => {
    const folder = temporaryFolder();
    mkdirSync(folder, { recursive: true });
    const there = path.join(folder, 'there');
    writeFileSync(there, '{"cowherd_why_snapshot": 1, "taken_at": ');
    await refused(51, /OUTPUT_EXISTS.*there/, '1', '--html', there);
    // A dangling link would be written through.
    const link = path.join(folder, 'link');
    symlinkSync(path.join(folder, 'nowhere'), link);
    await refused(51, /OUTPUT_EXISTS.*link/, '1', '--html', link);
    await refused(51, /OUTPUT_EXISTS.*null is not a regular file/, '1', '--html', '/dev/null', '--force');
    await refused(52, /SNAPSHOT_UNREADABLE.*there/, '1', '--since', there);
    await refused(52, /SNAPSHOT_UNREADABLE.*ENOENT/, '1', '--since', `${there}-not`);
    await refused(2, /whole number/, 'gunicorn');
  });
});
