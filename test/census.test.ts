/** The census of a herd, and of servers that never heard of Cowherd: which modules hold the written objects. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { findPythons } from '../bench/why/interpreters.ts';
import type { WhyReport } from '../src/forensics/answer/report.ts';
import { cowherd, PYTHON, type Run, serving, temporaryFolder } from './support/cowherd.ts';
import { needs, where } from './support/needs.ts';
import { until } from './support/until.ts';

/** Rows that differ only by their module. The first module has 60% of them. */
const TABLES = {
  'stock_table.py': 'rows = [{"number": number, "count": 0} for number in range(90_000)]\n',
  // It also refers to the rows of the other module, which was loaded first.
  'price_table.py': `
from stock_table import rows as others
rows = [{"number": number, "count": 0} for number in range(60_000)]
`,
  'shop.py': `
import os, price_table, stock_table

def write():
    for row in stock_table.rows:
        row["count"] += 1
    for row in price_table.rows:
        row["count"] += 1

def written():
    write()
    open(f"{os.environ.get('NOTES', '.')}/{os.getpid()}.written", "x").close()

def app(environ, start_response):
    if environ["PATH_INFO"] == "/write":
        write()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"done"]
`,
  // Workers write at once, without a request.
  'plain.py': `
from shop import app, written
try:
    import uwsgi
    uwsgi.post_fork_hook = written
except ImportError:
    import os
    os.register_at_fork(after_in_child=written)
`,
};

const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    const ended = child.exitCode !== null || child.signalCode !== null ? null : once(child, 'exit');
    try {
      // The process group, which includes everything that it has forked.
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    } catch {
      // It has already ended.
    }
    await ended;
  }
});

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return folder;
}

/** Starts a command in a new process group. */
function start(folder: string, command: string, ...args: string[]): number {
  const environment = { ...process.env, PYTHONPATH: folder, NOTES: folder };
  const options = { cwd: folder, stdio: 'ignore', detached: true, env: environment } as const;
  const child = spawn(command, args, options);
  children.push(child);
  return child.pid ?? 0;
}

async function why(...args: string[]): Promise<WhyReport> {
  const command = cowherd(['why', '--json', ...args]);
  expect(await command.ended, command.stderr).toEqual({ status: 0, signal: null });
  return JSON.parse(command.stdout) as WhyReport;
}

const whyOf = async (run: Run, ...more: string[]): Promise<WhyReport> =>
  await why('--runtime-dir', run.runtimeDirectory, ...more);

/** Modules with their percent of the unshared pages; null for pages whose holder is unknown. */
function partsByModule({ workers }: WhyReport): [module: string | null, percent: number][] {
  return (workers[0]?.modules ?? []).map(({ module, percent }) => [module, percent]);
}

function expectTables(report: WhyReport): void {
  expect(report.reference).toMatchObject({ has_census: true, census_problem: null });
  const [first, second] = partsByModule(report);
  expect([first?.[0], second?.[0]]).toEqual(['stock_table', 'price_table']);
  const [ofStock, ofPrice] = [first?.[1] ?? 0, second?.[1] ?? 0];
  expect(Math.abs((100 * ofStock) / (ofStock + ofPrice) - 60)).toBeLessThan(3);
  // The rest belongs to the interpreter. Under freeze it is also the reference counts of everything that was read.
  expect(ofStock + ofPrice).toBeGreaterThan(80);
}

test('the module that holds the written rows owns their pages, in a herd', async () => {
  const run = await serving(['shop:app', '--workers', '1'], { files: TABLES });
  await run.get('/write');
  const report = await whyOf(run);
  expectTables(report);
  expect(report.reference.policy).not.toBeNull();

  // The same for the worker, given by pid.
  const [worker] = await run.workers();
  const ofWorker = await whyOf(run, String(worker?.pid));
  expect(ofWorker.reference).toMatchObject({ pid: report.reference.pid, policy: report.reference.policy });
  expectTables(ofWorker);

  // Types alone don't tell the modules.
  const without = await whyOf(run, '--no-census');
  expect(without.reference).toMatchObject({ has_census: false, census_problem: null });
  expect(partsByModule(without)[0]?.[0]).toBeNull();
  expect(partsByModule(without).map(([module]) => module)).not.toContain('stock_table');
  await run.stop();
});

test('every worker, looked at by several threads', async () => {
  const run = await serving(['shop:app', '--workers', '8'], { files: TABLES });
  for (let count = 0; count < 40; count += 1) await run.get('/write');
  const report = await whyOf(run, '--all');
  expect(report.workers).toHaveLength(8);
  for (const { modules, unshared } of report.workers) {
    if (unshared > 20 * 2 ** 20) expect(modules[0]?.module).toBe('stock_table');
  }
  expect(report.workers.some(({ unshared }) => unshared > 20 * 2 ** 20)).toBe(true);
  await run.stop();
});

describe('servers that never heard of Cowherd', () => {
  const bin = path.dirname(PYTHON);

  async function expectOwners(folder: string, master: number): Promise<void> {
    await until('a worker has written', () => writersIn(folder).length > 0);
    const [worker = 0] = writersIn(folder);
    expectTables(await why(String(worker)));
    const ofMaster = await why(String(master));
    expectTables(ofMaster);
    expect(ofMaster.reference.pid).toBe(master);
  }

  test('gunicorn with --preload', async () => {
    const folder = folderWith(TABLES);
    const args = ['--preload', '--bind', `unix:${folder}/socket`, '--workers', '1', 'plain:app'];
    await expectOwners(folder, start(folder, path.join(bin, 'gunicorn'), ...args));
  });

  const uwsgi = path.join(bin, 'uwsgi');
  test('uWSGI with a master', needs(where(existsSync(uwsgi), 'needs pyuwsgi in .venv')), async () => {
    const folder = folderWith(TABLES);
    const args = ['--master', '--processes', '1', '--socket', `${folder}/socket`, '--module', 'plain:app'];
    await expectOwners(folder, start(folder, uwsgi, ...args, '--need-app'));
  });
});

function writersIn(folder: string): number[] {
  return readdirSync(folder).flatMap((name) => (name.endsWith('.written') ? [Number.parseInt(name, 10)] : []));
}

/** A program whose first module is being imported while it forks, and reaches what the finished second one holds. */
const UNFINISHED = {
  'outer.py': `
rows = None
import größe
rows = größe.rows
import waiting
`,
  'größe.py': 'rows = [{"number": number, "count": 0} for number in range(40_000)]\n',
  'waiting.py': `
import os, sys, time
outer = sys.modules["outer"]
if os.fork() == 0:
    for row in outer.rows:
        row["count"] += 1
    open(f"{os.getpid()}.written", "x").close()
time.sleep(600)
`,
};

/** Module objects, which name themselves; a child takes a reference to each. */
const MODULES = `
import os, time, types
made = [types.ModuleType("planted.modules") for _ in range(20_000)]
if os.fork() == 0:
    kept = list(made)
    open(f"{os.getpid()}.written", "x").close()
time.sleep(600)
`;

describe('on each interpreter', () => {
  test.each(findPythons('3.10'))(
    'a module object says which module it is, on CPython $version',
    async ({ command }) => {
      const folder = folderWith({ 'many.py': MODULES });
      start(folder, command, 'many.py');
      await until('the child has written', () => writersIn(folder).length > 0);
      const report = await why(String(writersIn(folder)[0]), '--no-census');
      const owner = (report.workers[0]?.owners ?? []).find(({ type }) => type === 'module');
      expect(owner?.module).toBe('planted.modules');
      expect(owner?.percent).toBeGreaterThan(50);
    },
  );

  test.each(findPythons('3.10'))(
    'a module whose import is under way comes after the others, and names have any letters, on CPython $version',
    async ({ command }) => {
      const folder = folderWith(UNFINISHED);
      start(folder, command, '-X', 'utf8', '-c', 'import outer');
      await until('the child has written', () => writersIn(folder).length > 0);
      const report = await why(String(writersIn(folder)[0]));
      expect(report.reference.has_census).toBe(true);
      expect(partsByModule(report)[0]?.[0]).toBe('größe');
      expect(partsByModule(report)[0]?.[1]).toBeGreaterThan(80);
    },
  );
});

/** Makes, links and drops objects of all kinds without an end, in modules too. */
const BUSY = `
import gc, os, random, sys, types
class Row:
    def __init__(self, number): self.number = number; self.more = {"n": number}
keep = [[Row(number) for number in range(2000)] for _ in range(20)]
worker = os.fork()
if worker == 0:
    import time
    for rows in keep:
        for row in rows: row.number += 1
    open(f"{os.getpid()}.written", "x").close()
    time.sleep(600)
while True:
    keep[random.randrange(len(keep))] = [Row(number) for number in range(random.randrange(4000))]
    name = f"made_{random.randrange(200)}"
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].held = {str(number): [number] * random.randrange(50) for number in range(300)}
    setattr(Row, name, type(name, (Row,), {"x": (name,) * 9}))
    delattr(Row, name)
    sys.modules.pop(f"made_{random.randrange(200)}", None)
`;

test('a process that changes all the time while it is read has an answer', async () => {
  const folder = folderWith({ 'busy.py': BUSY });
  const parent = start(folder, PYTHON, 'busy.py');
  await until('the child has written', () => writersIn(folder).length > 0);
  const [child] = writersIn(folder);
  for (let look = 0; look < 4; look += 1) {
    const { reference, workers } = await why(String(child));
    expect(reference.pid).toBe(parent);
    // A walk may give up, but only for a reason that it knows.
    expect(reference.census_problem ?? '').not.toContain('failed');
    expect(reference.has_census).toBe(reference.census_problem === null);
    expect(workers[0]?.pid).toBe(child);
  }
});
