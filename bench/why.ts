/**
 * `make bench-why`: whether `cowherd why` is right, on programs whose writes are known and on real servers, and what it
 * costs.
 *
 * On each CPython found from 3.9 to 3.15, with a heap of 250 MiB (`apps/ground_truth.py`):
 *
 * - `cause_accuracy_min`: the part of a worker's unshared pages with the right cause. The minimum over the programs
 *   that only read, only collect, only allocate and free, or only assign. A page that the program did not write to
 *   counts as wrong.
 * - `mix_error_points`: in a program that does all of that, the largest difference between the share of a cause and its
 *   true share, in percentage points. `unknown_percent_max`: pages without a known cause, in any of the programs.
 * - `owner_error_points`: the module that owns 60% of the damaged pages has to come first; the error of its share, in
 *   percentage points.
 * - `seconds`, `mib`: time and memory of the command, for one worker whose pages are all unshared; `seconds_32` for 32
 *   workers. `seconds_without_census`: the same as `seconds` with `--no-census`.
 *
 * On gunicorn (`--preload`), uWSGI and Cowherd with the bundled application, four workers under the same load:
 *
 * - `p99_ratio`: requests come at a steady pace. The 99th percentile of those during a look, divided by that of those
 *   in pauses of the same length. `busyRatio` in the results is the same for a process that is busy for a tenth of the
 *   time and touches no memory: the cost of any work on that machine. The figure is the larger one of gunicorn's ratio,
 *   most of which are its own collections, and of Cowherd's, which doesn't collect in requests.
 * - `collector_percent_gunicorn`, `collector_percent_uwsgi`: the part of unshared pages that is `identical` or
 *   `gc-header`.
 * - `estimate_error_percent`: compares the bytes per worker that the first advice promises with the real gain: how much
 *   less unshared memory a worker of Cowherd has, with the recommended policy and under the same load.
 * - `immortal_unshared_percent`: the unshared memory of a worker of `--policy immortal` after 20,000 requests, in
 *   percent of the memory that it shared at its fork.
 *
 * Environment: WHY_MIB (250), BENCH_ROUNDS (3, of the real servers), BENCH_SECONDS (15, of load), WHY_REQUESTS (20000),
 * WHY_PART (`truth` or `servers` for one half).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../src/base/clock.ts';
import { type Bench, benchmark, type Outcome } from './lib/benchmark.ts';
import { atLeast, atMost } from './lib/figures.ts';
import { load } from './lib/load.ts';
import { PacedLoad, type PacedRequest } from './lib/paced-load.ts';
import { APPS, COWHERD, PYTHON } from './lib/places.ts';
import { endAllStarted } from './lib/processes.ts';
import { cowherd, gunicornPreload, nameOf, type Server, uwsgi } from './lib/servers.ts';
import { Serving } from './lib/serving.ts';
import { settingFrom } from './lib/settings.ts';
import { median, percentile } from './lib/statistics.ts';
import { table } from './lib/table.ts';
import { turns } from './lib/turns.ts';
import { askWhy } from './why/command.ts';
import { type Deed, judge, type Judged, KnownProgram } from './why/ground-truth.ts';
import { findPythons, type FoundPython } from './why/interpreters.ts';
import { whyOfServer } from './why/servers.ts';

const ONE_TENTH_BUSY = path.join(APPS, 'one_tenth_busy.py');
const MIB = settingFrom(process.env, 'WHY_MIB', 250);
const ROUNDS = settingFrom(process.env, 'BENCH_ROUNDS', 3);
const SECONDS = settingFrom(process.env, 'BENCH_SECONDS', 15);
const REQUESTS = settingFrom(process.env, 'WHY_REQUESTS', 20_000);
const PART = process.env['WHY_PART'] ?? 'all';
const OLDEST = '3.9';
const WORKERS = 4;
const MANY_WORKERS = 32;
const CONNECTIONS = 8;
const RATE = 30;
/** A round has this time of looks, of busy times, and twice of pauses. */
const LOOKS_SECONDS = 20;

const DEEDS: readonly Deed[] = ['read', 'collect', 'allocate', 'assign', 'mix', 'owners', 'tables'];
const PURE: ReadonlySet<Deed> = new Set(['read', 'collect', 'allocate', 'assign']);
const PLANTED_PERCENT = 60;

const truthTargets = [
  atLeast('cause_accuracy_min', 0.95),
  atMost('mix_error_points', 5),
  atMost('unknown_percent_max', 5),
  atMost('owner_error_points', 5),
  atMost('seconds', 2),
  atMost('mib', 200),
  atMost('seconds_32', 10),
];
const serverTargets = [
  atMost('p99_ratio', 1.1),
  atLeast('collector_percent_gunicorn', 80),
  atLeast('collector_percent_uwsgi', 80),
  atMost('estimate_error_percent', 15),
  atMost('immortal_unshared_percent', 1.5),
];

interface TruthRow extends Judged {
  readonly python: string;
  readonly deed: Deed;
  readonly ownerErrorPoints: number | null;
  /** Measured for `collect` only. */
  readonly secondsWithoutCensus: number | null;
}

async function judgeDeed(python: FoundPython, deed: Deed, { scratch }: Bench): Promise<TruthRow> {
  const program = await KnownProgram.start(python, deed, MIB, 1, scratch);
  try {
    const judged = judge(program);
    const secondsWithoutCensus = deed === 'collect' ? askWhy([String(program.pid), '--no-census']).seconds : null;
    return {
      ...judged,
      python: python.version,
      deed,
      ownerErrorPoints: ownerErrorOf(deed, judged),
      secondsWithoutCensus,
    };
  } finally {
    await program.stop();
  }
}

function ownerErrorOf(deed: Deed, judged: Judged): number | null {
  if (deed === 'owners') return ownerError(judged);
  return deed === 'tables' && judged.asked.report.reference.has_census ? moduleError(judged) : null;
}

/** Error of the first module's share of all unshared pages; infinite if another module comes first. */
function moduleError({ asked }: Judged): number {
  const [first] = asked.report.workers[0]?.modules ?? [];
  return first?.module === 'planted_large' ? Math.abs(first.percent - PLANTED_PERCENT) : Infinity;
}

/**
 * Error of the first owner's share of the rows' pages; infinite if another owner comes first. Strings belong to no
 * module and are on other pages.
 */
function ownerError({ asked }: Judged): number {
  const rows = (asked.report.workers[0]?.owners ?? []).filter(({ type }) => type === 'Row');
  const sum = rows.reduce((total, { bytes }) => total + bytes, 0);
  const [first] = rows;
  if (first === undefined || first.module !== 'planted_large') return Infinity;
  return Math.abs((100 * first.bytes) / sum - PLANTED_PERCENT);
}

async function measureTruth(bench: Bench): Promise<Outcome> {
  const pythons = findPythons(OLDEST);
  bench.say(
    `Programs whose writes are known, ${MIB} MiB, on CPython ${pythons.map((each) => each.version).join(', ')}`,
  );
  const rows: TruthRow[] = [];
  for (const python of pythons) {
    for (const deed of DEEDS) rows.push(await judgeDeed(python, deed, bench));
  }
  bench.say(
    table(
      ['', 'deed', 'pages', 'right', 'unknown %', 'share off, points', 'owner off, points', 'seconds', 'MiB'],
      rows.map((row) => [
        row.python,
        row.deed,
        String(row.unsharedPages),
        row.accuracy.toFixed(4),
        row.unknownPercent.toFixed(2),
        row.shareErrorPoints.toFixed(2),
        row.ownerErrorPoints === null ? '' : row.ownerErrorPoints.toFixed(2),
        row.asked.seconds.toFixed(2),
        row.asked.mib.toFixed(0),
      ]),
    ),
  );
  const newest = pythons.at(-1);
  if (newest === undefined) throw new Error('no CPython was found');
  const many = await lookAtMany(newest, bench);
  bench.say(`${MANY_WORKERS} workers on CPython ${newest.version}: ${many.toFixed(1)} s`);
  const most = (of: (row: TruthRow) => number | null): number => Math.max(...rows.flatMap((row) => of(row) ?? []));
  const one = rows.filter(({ deed }) => deed === 'collect');
  return {
    figures: {
      cause_accuracy_min: Math.min(...rows.filter(({ deed }) => PURE.has(deed)).map((row) => row.accuracy)),
      mix_error_points: most((row) => (row.deed === 'mix' ? row.shareErrorPoints : null)),
      unknown_percent_max: most((row) => row.unknownPercent),
      owner_error_points: most((row) => row.ownerErrorPoints),
      seconds: median(one.map(({ asked }) => asked.seconds)),
      seconds_without_census: median(one.flatMap(({ secondsWithoutCensus }) => secondsWithoutCensus ?? [])),
      mib: Math.max(...one.map(({ asked }) => asked.mib)),
      seconds_32: many,
    },
    arms: {
      truth: rows.map(({ python, deed, unsharedPages, accuracy, mistakes, asked }) => {
        const { seconds, mib } = asked;
        return { python, deed, unsharedPages, accuracy, mistakes, seconds, mib };
      }),
    },
  };
}

async function lookAtMany(python: FoundPython, { scratch }: Bench): Promise<number> {
  const program = await KnownProgram.start(python, 'collect', MIB, MANY_WORKERS, scratch);
  try {
    return askWhy([String(program.pid)]).seconds;
  } finally {
    await program.stop();
  }
}

async function measureServers(bench: Bench): Promise<Outcome> {
  const arms: Server[] = [gunicornPreload, uwsgi, cowherd('immortal')];
  bench.say(`Real servers: ${WORKERS} workers, ${SECONDS} s of load, ${ROUNDS} rounds`);
  const found = new Map(arms.map((arm) => [nameOf(arm), [] as Awaited<ReturnType<typeof whyOfServer>>[]]));
  for (const { arm } of turns(arms, ROUNDS)) {
    const round = await whyOfServer(arm, { workers: WORKERS, connections: CONNECTIONS, seconds: SECONDS }, bench);
    found.get(nameOf(arm))?.push(round);
  }
  const middle = (arm: Server, of: (round: Awaited<ReturnType<typeof whyOfServer>>) => number): number =>
    median((found.get(nameOf(arm)) ?? []).map(of));
  bench.say(
    table(
      ['', 'shared at fork, MiB', 'unshared, MiB', 'collector %', 'promised, MiB'],
      arms.map((arm) => [
        nameOf(arm),
        middle(arm, (round) => round.sharedAtForkMib),
        middle(arm, (round) => round.unsharedMib),
        middle(arm, (round) => round.collectorPercent),
        middle(arm, (round) => round.promisedMib),
      ]),
    ),
  );
  const left = middle(cowherd('immortal'), (round) => round.unsharedMib);
  const errors = [gunicornPreload, uwsgi].map((arm) => {
    const won = middle(arm, (round) => round.unsharedMib) - left;
    return (100 * Math.abs(middle(arm, (round) => round.promisedMib) - won)) / won;
  });
  const p99 = [await p99Ratio(gunicornPreload, bench), await p99Ratio(cowherd('immortal'), bench)];
  const immortal = await afterManyRequests(bench);
  return {
    figures: {
      p99_ratio: Math.max(...p99.map(({ ratio }) => ratio)),
      collector_percent_gunicorn: middle(gunicornPreload, (round) => round.collectorPercent),
      collector_percent_uwsgi: middle(uwsgi, (round) => round.collectorPercent),
      estimate_error_percent: Math.max(...errors),
      immortal_unshared_percent: immortal.unsharedPercent,
    },
    arms: { servers: Object.fromEntries(found), p99, immortal },
  };
}

type Beside = 'look' | 'busy' | 'pause';

/** Alternates looks, pauses of the same length, and a process that is busy for a tenth of the time. */
async function p99Ratio(server: Server, { scratch, feedEnvironment: environment, say }: Bench) {
  const serving = await Serving.start({ server, app: 'feed', workers: WORKERS, environment, scratch });
  const { mold } = await serving.untilWorkers(WORKERS);
  await load({ port: serving.port, path: '/', connections: CONNECTIONS, seconds: SECONDS }, scratch);
  const pace = await PacedLoad.start({ port: serving.port, path: '/', perSecond: RATE });
  const spans: { beside: Beside; fromMs: number; toMs: number }[] = [];
  const during = async (beside: Beside, work: () => Promise<unknown>): Promise<number> => {
    const fromMs = monotonicClock.now();
    await work();
    const toMs = monotonicClock.now();
    spans.push({ beside, fromMs, toMs });
    return toMs - fromMs;
  };
  const endMs = monotonicClock.now() + 4 * ROUNDS * LOOKS_SECONDS * 1000;
  while (monotonicClock.now() < endMs) {
    const lookMs = await during('look', () => run(COWHERD, 'why', String(mold), '--json'));
    await during('pause', () => sleep(lookMs));
    await during('busy', () => run(PYTHON, ONE_TENTH_BUSY, String(lookMs / 1000)));
    await during('pause', () => sleep(lookMs));
  }
  const requests = await pace.end();
  endAllStarted();
  const p99 = (beside: Beside): number =>
    percentile(
      requests
        .filter((request) => spans.some((span) => span.beside === beside && isIn(request, span)))
        .map(({ latencyMs }) => latencyMs),
      0.99,
    );
  const [beforeMs, duringMs, busyMs] = [p99('pause'), p99('look'), p99('busy')];
  const looks = spans.filter(({ beside }) => beside === 'look').length;
  say(
    `${nameOf(server)}: p99 ${beforeMs.toFixed(1)} ms, ${duringMs.toFixed(1)} ms during one of ${looks} looks, ` +
      `${busyMs.toFixed(1)} ms beside a process that is busy for a tenth of the time`,
  );
  return { beforeMs, duringMs, busyMs, ratio: duringMs / beforeMs, busyRatio: busyMs / beforeMs };
}

function isIn({ dueAtMs }: PacedRequest, { fromMs, toMs }: { fromMs: number; toMs: number }): boolean {
  return dueAtMs >= fromMs && dueAtMs < toMs;
}

/** Runs a command as a person would, in another process: this one's event loop must not block. */
async function run(command: string, ...args: string[]): Promise<void> {
  const [status] = (await once(spawn(command, args, { stdio: 'ignore' }), 'exit')) as [number | null];
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`);
}

async function afterManyRequests(bench: Bench) {
  const { scratch, feedEnvironment: environment, say } = bench;
  const serving = await Serving.start({
    server: cowherd('immortal'),
    app: 'feed',
    workers: WORKERS,
    environment,
    scratch,
  });
  let requests = 0;
  while (requests < REQUESTS) {
    const done = await load({ port: serving.port, path: '/', connections: CONNECTIONS, seconds: SECONDS }, scratch);
    requests += done.requests;
  }
  const { report } = askWhy(['--runtime-dir', serving.runtimeDirectory]);
  endAllStarted();
  const worker = report.workers.find(({ pid }) => pid === report.median_pid);
  if (worker === undefined) throw new Error('no worker was looked at');
  const unsharedPercent = (100 * worker.unshared) / worker.shared_at_fork;
  say(`--policy immortal after ${requests} requests: ${unsharedPercent.toFixed(2)}% unshared`);
  return { requests, unsharedPercent, worker };
}

async function measure(bench: Bench): Promise<Outcome> {
  const truth = PART === 'servers' ? null : await measureTruth(bench);
  const servers = PART === 'truth' ? null : await measureServers(bench);
  return {
    figures: { ...truth?.figures, ...servers?.figures },
    arms: { ...truth?.arms, ...servers?.arms },
  };
}

const targets = [...(PART === 'servers' ? [] : truthTargets), ...(PART === 'truth' ? [] : serverTargets)];
await benchmark('why', targets, measure);
