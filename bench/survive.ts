/**
 * `make test-survive`: herds under steady load. In a random order, their processes are killed and replaced, and they
 * meet everything else that an operator, a full disk or a rude client may do to them.
 *
 * Herds of four workers run one after another: sync, threaded, gevent, ASGI and uvicorn workers, all but sync with
 * keep-alive, with 128 descriptors a process (`survive/herd-kinds.ts`). A separate process loads the herd, checks every
 * answer to its last byte and counts every request (`survive/visitor-process.ts`): small, slow, large and posted ones,
 * on new and on kept connections. Meanwhile this process does the deeds one after the other, except for some kills in
 * the middle of a reload or refork, and waits after each until the herd is whole again. A deed without its intended
 * effect ends the run with an error.
 *
 * - `lost`: requests without a whole answer that were not in flight on a killed worker: refused, reset, cut short, or
 *   unanswered for 30 s.
 * - `wrong`: answers whose status is not 200, or whose bytes differ from those expected for the request.
 * - `in_flight_on_killed`: requests without a whole answer whose connection a worker had accepted when it was killed.
 *   The worker is stopped right before the kill, and the kernel tells which connections it holds (`/proc/PID/fd`,
 *   `/proc/net/tcp`). The client knows the port of each request's connection. So nothing has to be assumed.
 * - `leftovers`: unknown processes, sockets, temporary files and zombies, in the herd at rest and after its end.
 * - `below_minimum_seconds`: how long fewer workers than wanted were ready (`survive/capacity.ts` has the rules).
 *
 * The deeds, each counted by a figure:
 *
 * - `reloads`, `reforks`, `kills_worker`, `kills_mold`, `kills_supervisor`: as named. A rollout that was ended by a
 *   kill is repeated. Each reload must show in the answers. A new supervisor follows a killed one, and adopts the herd.
 *   gevent's workers can't become molds.
 * - `recycles`: workers recycled by `max_requests`, which happens all the time, as counted by the status.
 * - `stops_keeper`: the keeper is stopped while a worker is killed, one more is wanted, and a reload is asked for.
 *   `cowherd status` keeps answering within 5 s, and says that the keeper doesn't. Once it runs again, all is done.
 * - `kills_molds_in_reload`: all molds are killed during a reload, which fails. The next one succeeds.
 * - `full_disks`: the runtime directory, on its own disk, can't be written to, while a worker is killed, one more is
 *   wanted, and new code is loaded. Root only, since the disk has to be mounted.
 * - `closed_terminals`: the terminal of the supervisor is closed, or that of the whole herd if it was started in one.
 * - `lost_runtime_directories`: the directory is removed. It is made again, and the herd can be managed as before.
 * - `reloads_to_bad_address`, `reloads_with_bad_backlog`, `reloads_without_venv`, `reloads_without_folder`: reloads
 *   that fail and say why, while the old generation serves. Once the obstacle is removed, a reload succeeds.
 * - `kills_mold_without_venv`: the mold is killed while the virtual environment is away. When it is back, so is the
 *   mold.
 * - `crowds`: more idle connections than the workers have descriptors, until connections wait for the workers.
 * - `slow_clients`: forty requests that arrive byte by byte (slow loris), and are answered in the end.
 *
 * `retried` (in the results): requests that the client sent a second time, as HTTP allows, because a kept connection
 * was closed before any byte of the answer.
 *
 * Environment: SURVIVE=long for 100 reloads, 50 reforks, 200 recycles, 100 kills of workers, 20 of molds and 20 of
 * supervisors, and ten of each other deed (about 40 minutes; without it 5 of each of these six and one or two of the
 * others, in 3 to 5 minutes). SURVIVE_RELOADS and the like, the figures' names in capitals, set other counts.
 * SURVIVE_HERDS="gevent uvicorn" chooses herds. SURVIVE_SEED repeats the order of an earlier run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { monotonicClock } from '../src/base/clock.ts';
import { type Bench, benchmark, type Outcome } from './lib/benchmark.ts';
import { atLeast, atMost } from './lib/figures.ts';
import { settingFrom } from './lib/settings.ts';
import { table } from './lib/table.ts';
import { type Capacity, capacityOf } from './survive/capacity.ts';
import { CapacityWatch } from './survive/capacity-watch.ts';
import { DEED_KINDS, type DeedCounts, type DeedKind, planDeeds, randomFrom, shareOut } from './survive/deeds.ts';
import { SmallDisk } from './survive/disk.ts';
import { Herd } from './survive/herd.ts';
import { HERDS, type HerdKind } from './survive/herd-kinds.ts';
import { leftAfterEnd, leftInServingHerd } from './survive/leftovers.ts';
import { Trial } from './survive/trial.ts';
import { vacanciesOf } from './survive/vacancies.ts';
import { judgeFailures, killOf, type Verdicts } from './survive/verdicts.ts';
import { type VisitReport, Visits } from './survive/visits.ts';

/** The name of each deed's figure, and its count in the long form and in the short one. */
const DEEDS: Readonly<Record<DeedKind, readonly [figure: string, long: number, short: number]>> = {
  reload: ['reloads', 100, 5],
  refork: ['reforks', 50, 5],
  recycle: ['recycles', 200, 5],
  kill_worker: ['kills_worker', 100, 5],
  kill_mold: ['kills_mold', 20, 5],
  kill_supervisor: ['kills_supervisor', 20, 5],
  stop_keeper: ['stops_keeper', 10, 1],
  kill_molds_in_reload: ['kills_molds_in_reload', 10, 1],
  fill_disk: ['full_disks', 10, 1],
  close_terminal: ['closed_terminals', 10, 2],
  lose_runtime_directory: ['lost_runtime_directories', 10, 1],
  reload_to_bad_address: ['reloads_to_bad_address', 10, 1],
  reload_with_bad_backlog: ['reloads_with_bad_backlog', 10, 1],
  reload_without_venv: ['reloads_without_venv', 10, 1],
  reload_without_folder: ['reloads_without_folder', 10, 1],
  kill_mold_without_venv: ['kills_mold_without_venv', 10, 1],
  crowd: ['crowds', 10, 2],
  slow_clients: ['slow_clients', 10, 2],
};
const VISITORS = { fresh: 6, keeping: 6, pauseMs: 60, timeoutMs: 30_000 };

/** No disk is filled if this user may not mount one. */
const mayFillDisk = inTemporaryFolder((folder) => SmallDisk.isPossible(folder));
const isLong = process.env['SURVIVE'] === 'long';
const figureOf = (kind: DeedKind): string => DEEDS[kind][0];
const counts = Object.fromEntries(
  DEED_KINDS.map((kind) => {
    const [figure, long, short] = DEEDS[kind];
    if (kind === 'fill_disk' && !mayFillDisk) return [kind, 0];
    return [kind, settingFrom(process.env, `SURVIVE_${figure.toUpperCase()}`, isLong ? long : short, 0)];
  }),
) as DeedCounts;
const seed = settingFrom(process.env, 'SURVIVE_SEED', Math.floor(Math.random() * 1e9), 0);
/** All herds, or those named by SURVIVE_HERDS="gevent uvicorn". */
const herds = HERDS.filter(({ name }) => (process.env['SURVIVE_HERDS'] ?? name).split(' ').includes(name));

const targets = [
  atMost('lost', 0),
  atMost('wrong', 0),
  atMost('leftovers', 0),
  atMost('below_minimum_seconds', 0),
  ...DEED_KINDS.map((kind) => atLeast(figureOf(kind), counts[kind])),
];

interface HerdResult {
  readonly name: string;
  readonly seconds: number;
  readonly done: DeedCounts;
  readonly undoneByKills: readonly string[];
  readonly uncountedReloads: number;
  readonly visits: VisitReport;
  readonly verdicts: Verdicts;
  readonly retried: number;
  readonly retriedOnKilled: number;
  readonly capacity: Capacity;
  readonly leftovers: readonly string[];
  readonly descriptors: readonly Record<string, number>[];
}

async function surviveWith(kind: HerdKind, share: DeedCounts, random: () => number, bench: Bench): Promise<HerdResult> {
  const plan = planDeeds(share, random);
  bench.say(`\n${kind.name}: ${plan.length} deeds`);
  const started = monotonicClock.now();
  const herd = await Herd.start(kind, bench.scratch, share.close_terminal > 0);
  const descriptors = [herd.descriptors(await herd.settleCompletely())];
  const visits = await Visits.start({ ...VISITORS, port: herd.port });
  const watch = new CapacityWatch(herd);
  const trial = new Trial({ herd, visits, random }, watch, bench.say);
  await trial.run(plan);
  await herd.settle();
  const samples = await watch.end();
  const visited = await visits.end();
  // A new report: workers were recycled until the visitors ended.
  const report = await herd.settleCompletely();
  descriptors.push(herd.descriptors(report));
  const leftovers = leftInServingHerd(herd, report);
  await herd.stop();
  leftovers.push(...(await leftAfterEnd(herd)));
  herd.disk?.unmount();

  const retriedOnKilled = visited.retries.filter((retry) => killOf(retry, herd.workerKills) !== null).length;
  return {
    name: kind.name,
    seconds: (monotonicClock.now() - started) / 1000,
    done: { ...trial.done, recycle: watch.recycles },
    undoneByKills: trial.undoneByKills,
    uncountedReloads: trial.uncountedReloads,
    visits: visited,
    verdicts: judgeFailures(visited.failures, herd.workerKills),
    retried: visited.retries.length - retriedOnKilled,
    retriedOnKilled,
    capacity: capacityOf(samples, vacanciesOf(herd.workerKills, herd.scalings, herd.keeperStops)),
    leftovers,
    descriptors,
  };
}

async function measure(bench: Bench): Promise<Outcome> {
  bench.say(`Seed ${seed} (SURVIVE_SEED=${seed} repeats the order)`);
  if (!mayFillDisk) bench.say('No disk will be filled: this user may not mount one');
  const random = randomFrom(seed);
  const results: HerdResult[] = [];
  const without = herds.map((kind) => kind.without);
  const shares = shareOut(counts, without, random);
  for (const [index, kind] of herds.entries()) {
    const share = shares[index];
    if (share !== undefined) results.push(await surviveWith(kind, share, random, bench));
  }
  show(results, bench);
  const sum = (of: (result: HerdResult) => number): number => results.reduce((total, each) => total + of(each), 0);
  return {
    figures: {
      lost: sum((each) => each.verdicts.lost.length),
      wrong: sum((each) => each.visits.wrong.length),
      in_flight_on_killed: sum((each) => each.verdicts.inFlightOnKilled.length),
      leftovers: sum((each) => each.leftovers.length),
      below_minimum_seconds: sum((each) => each.capacity.belowMinimumMs) / 1000,
      ...Object.fromEntries(DEED_KINDS.map((kind) => [figureOf(kind), sum((each) => each.done[kind])])),
    },
    arms: { seed, herds: results },
  };
}

function show(results: readonly HerdResult[], { say }: Bench): void {
  say('');
  say(
    table(
      [
        '',
        'requests',
        'on kept conns',
        'lost',
        'wrong',
        'on killed',
        'most on one',
        'retried',
        'p99 ms',
        'worst ms',
        'below minimum s',
        'slowest replacement s',
      ],
      results.map(({ name, visits, verdicts, retried, capacity }) => [
        name,
        String(visits.sent),
        String(visits.onReused),
        String(verdicts.lost.length),
        String(visits.wrong.length),
        String(verdicts.inFlightOnKilled.length),
        String(verdicts.mostOnOneKilled),
        String(retried),
        visits.p99Ms,
        visits.worstMs,
        (capacity.belowMinimumMs / 1000).toFixed(2),
        (capacity.slowestReplacementMs / 1000).toFixed(2),
      ]),
    ),
  );
  for (const { name, verdicts, visits, leftovers, capacity, descriptors } of results) {
    const [before, after] = descriptors;
    say(`${name}: descriptors at the start ${JSON.stringify(before)}, at the end ${JSON.stringify(after)}`);
    for (const each of verdicts.lost.slice(0, 10)) say(`${name}: lost ${JSON.stringify(each)}`);
    for (const each of visits.wrong.slice(0, 10)) say(`${name}: wrong ${JSON.stringify(each)}`);
    for (const each of leftovers.slice(0, 10)) say(`${name}: leftover: ${each}`);
    for (const each of capacity.gaps.slice(0, 10)) say(`${name}: below the minimum: ${JSON.stringify(each)}`);
  }
}

function inTemporaryFolder<Result>(work: (folder: string) => Result): Result {
  const folder = mkdtempSync(path.join(tmpdir(), 'cowherd-bench-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await benchmark('survive', targets, measure, { mustReach: true });
