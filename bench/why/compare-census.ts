/**
 * Compares the census that a process takes of itself, in a forked child, with the one taken from outside.
 *
 *     node --import tsx bench/why/compare-census.ts [PID:MINOR:NAME:FILE]…
 *
 * On each CPython found from 3.10 to 3.15, the programs `owners` and `tables` of `apps/ground_truth.py`; `feed` under
 * gunicorn with `--preload`; and the processes that the arguments name, with the file that CENSUS_OF names. Such a process was started with
 * PYTHONPATH=bench/why/census_on_signal, CENSUS_OF and CENSUS_AGENT, and it has to be idle. Both censuses take turns.
 *
 * Environment: WHY_MIB (250), BENCH_ROUNDS (3), CENSUS_ONLY (`programs`, `feed` or `none` to leave the others out).
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CensusTiming } from '../../src/forensics/census/take-census.ts';
import type { CensusFacts } from '../../src/forensics/owners/census.ts';
import { CHECKOUT, FEED, PYTHON } from '../lib/places.ts';
import { endAllStarted } from '../lib/processes.ts';
import { gunicornPreload } from '../lib/servers.ts';
import { Serving } from '../lib/serving.ts';
import { settingFrom } from '../lib/settings.ts';
import { median } from '../lib/statistics.ts';
import { table } from '../lib/table.ts';
import type { Agreement } from './census-comparison.ts';
import { KnownProgram } from './ground-truth.ts';
import { findPythons } from './interpreters.ts';

const MIB = settingFrom(process.env, 'WHY_MIB', 250);
const ROUNDS = settingFrom(process.env, 'BENCH_ROUNDS', 3);
const ONLY = process.env['CENSUS_ONLY'] ?? 'all';
const OLDEST = '3.10';
const WITHIN_MS = 300_000;

/** What `one-census.ts` prints. */
interface One {
  readonly seconds: number;
  readonly mib: number;
  readonly timing: CensusTiming;
  readonly objects: number;
  readonly agreement: Agreement;
  readonly own: CensusFacts;
}

interface Row {
  readonly name: string;
  /** Medians: of the own census without the fork, of the same with the fork and the imports, and from outside. */
  readonly ownSeconds: number;
  readonly forkedSeconds: number;
  readonly outsideSeconds: number;
  readonly mib: number;
  readonly imageMib: number;
  readonly last: One;
}

const scratch = mkdtempSync(path.join(tmpdir(), 'cowherd-compare-'));
const file = path.join(scratch, 'census');
const environment = {
  CENSUS_OF: file,
  CENSUS_AGENT: path.join(CHECKOUT, 'agent'),
  PYTHONPATH: path.join(CHECKOUT, 'bench', 'why', 'census_on_signal'),
};

async function compare(name: string, pid: number, minor: number, own = file): Promise<Row> {
  const ones: One[] = [];
  const forked: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    forked.push(await ownCensus(pid, own));
    const args = ['--import', 'tsx', path.join(import.meta.dirname, 'one-census.ts'), String(pid), String(minor), own];
    ones.push(JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as One);
  }
  const last = ones.at(-1);
  if (last === undefined) throw new Error('no round');
  const row = {
    name,
    ownSeconds: median(ones.map((one) => one.own.seconds)),
    forkedSeconds: median(forked),
    outsideSeconds: median(ones.map(({ seconds }) => seconds)),
    mib: median(ones.map(({ mib }) => mib)),
    imageMib: last.timing.imageBytes / 2 ** 20,
    last,
  };
  console.log(JSON.stringify(row));
  return row;
}

/** Has a process write its census. Returns the seconds from before the fork to the end of the child. */
async function ownCensus(pid: number, own: string): Promise<number> {
  for (const each of [own, `${own}.seconds`]) rmSync(each, { force: true });
  // Node knows no names of real-time signals.
  execFileSync('kill', ['-s', 'RTMIN', String(pid)]);
  for (let waited = 0; !existsSync(`${own}.seconds`); waited += 20) {
    if (waited > WITHIN_MS) throw new Error(`process ${pid} has written no census`);
    await sleep(20);
  }
  return Number(readFileSync(`${own}.seconds`, 'utf8'));
}

async function comparePrograms(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const python of findPythons(OLDEST)) {
    const minor = Number(python.version.split('.')[1]);
    for (const deed of ['owners', 'tables'] as const) {
      const before = process.env;
      process.env = { ...before, ...environment };
      const program = await KnownProgram.start(python, deed, MIB, 0, scratch);
      process.env = before;
      rows.push(await compare(`${python.version} ${deed}`, program.pid, minor));
      await program.stop();
    }
  }
  return rows;
}

async function compareFeed(): Promise<Row> {
  const feed = { FEED_DATABASE: path.join(scratch, 'feed.sqlite3') };
  execFileSync(PYTHON, ['manage.py', 'prepare'], { cwd: FEED, env: { ...process.env, ...feed }, stdio: 'ignore' });
  const started = { ...environment, ...feed };
  const server = { server: gunicornPreload, app: 'feed', workers: 1, environment: started, scratch } as const;
  const serving = await Serving.start(server);
  const version = execFileSync(PYTHON, ['-c', 'import sys; print(sys.version_info[1])'], { encoding: 'utf8' });
  const row = await compare(`3.${version.trim()} feed`, serving.root, Number(version));
  endAllStarted();
  return row;
}

const rows: Row[] = [];
for (const argument of process.argv.slice(2)) {
  const [pid = '', minor = '', name = '', own = ''] = argument.split(':');
  rows.push(await compare(name, Number(pid), Number(minor), own));
}
if (ONLY === 'all' || ONLY === 'programs') rows.push(...(await comparePrograms()));
if (ONLY === 'all' || ONLY === 'feed') rows.push(await compareFeed());
const shown = rows.map(({ name, ownSeconds, forkedSeconds, outsideSeconds, mib, imageMib, last }) => [
  name,
  String(last.objects),
  last.agreement.points.toFixed(2),
  last.agreement.module,
  last.agreement.ownPoints.toFixed(2),
  last.agreement.pagesInBothPercent.toFixed(2),
  last.agreement.sameModulePercent.toFixed(2),
  last.agreement.sameOwnerPercent.toFixed(2),
  ownSeconds.toFixed(2),
  forkedSeconds.toFixed(2),
  outsideSeconds.toFixed(2),
  (outsideSeconds / ownSeconds).toFixed(2),
  imageMib.toFixed(0),
  mib.toFixed(0),
]);
const head = ['', 'objects', 'points', 'module', 'without own', 'pages in both %', 'same module %', 'same owner %'];
console.log(table([...head, 'own s', 'forked s', 'outside s', 'ratio', 'heap MiB', 'peak MiB'], shown));
rmSync(scratch, { recursive: true, force: true });
process.exit(0);
