/**
 * `make bench-sharing`: how much memory stays shared under load, and how the requests are affected.
 *
 * Every server runs the bundled application (250 MiB of objects loaded before the fork, a cache of 40 MiB filled by
 * each worker during the load) with eight sync workers, freshly started in each round, under a closed loop of 16
 * connections from another process. Cowherd's arms play one request in the mold before the fork, as a user would
 * configure it.
 *
 * - shared at the fork: the anonymous memory of the mold (gunicorn's arbiter, uWSGI's master) before the load.
 * - shared after: a worker's anonymous memory without its private pages, after the load; median of the workers.
 * - retention: the second divided by the first. Herd PSS counts every process, including Cowherd's supervisor and
 *   keeper.
 * - CPU per request: CPU time of all processes of the server. Other work on the machine blurs it least.
 * - the reading arms: a server with one worker, which reads every preloaded object once, in one request.
 *
 * All values are medians over the rounds. Ratios between servers are the median of the ratios within each round, since
 * a slow spell of the machine slows both servers. Environment: BENCH_ROUNDS (3), BENCH_SECONDS (15, of load),
 * BENCH_CONNECTIONS (16).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { inMiB } from '../src/base/units.ts';
import { type Bench, benchmark, type Outcome } from './lib/benchmark.ts';
import { CpuMeter } from './lib/cpu.ts';
import { atLeast, atMost } from './lib/figures.ts';
import { readHerd, retention, sharedAtFork } from './lib/herd-memory.ts';
import { get } from './lib/http.ts';
import { load } from './lib/load.ts';
import { cowherd, gunicornPreload, nameOf, POLICIES, type Server, uwsgi } from './lib/servers.ts';
import { Serving } from './lib/serving.ts';
import { settingFrom } from './lib/settings.ts';
import { median, medianOfEach } from './lib/statistics.ts';
import { table } from './lib/table.ts';
import { turns } from './lib/turns.ts';

const WORKERS = 8;
/** Pause after the start and after the load, until the last worker has booted and rests. */
const SETTLE_MS = 1000;
const ROUNDS = settingFrom(process.env, 'BENCH_ROUNDS', 3);
const LOAD_SECONDS = settingFrom(process.env, 'BENCH_SECONDS', 15);
const CONNECTIONS = settingFrom(process.env, 'BENCH_CONNECTIONS', 16);

const targets = [
  atMost('gunicorn_retention', 0.65),
  atMost('uwsgi_retention', 0.65),
  atLeast('instagram_retention', 0.95),
  atLeast('freeze_retention', 0.95),
  atLeast('immortal_retention_after_reading_all', 0.98),
  atMost('auto_pss_ratio_to_gunicorn', 0.55),
  atLeast('auto_rps_ratio_to_gunicorn', 1.1),
  atLeast('auto_rps_ratio_to_uwsgi', 1),
  atMost('auto_p99_ratio_to_gunicorn', 0.5),
];

type LoadedRound = Awaited<ReturnType<typeof underLoad>>;
type ReadRound = Awaited<ReturnType<typeof afterReadingAll>>;

async function underLoad(server: Server, { scratch, feedEnvironment: environment }: Bench) {
  const serving = await Serving.start({ server, app: 'feed', workers: WORKERS, environment, scratch });
  await sleep(SETTLE_MS);
  const before = await serving.untilWorkers(WORKERS);
  const atFork = sharedAtFork(before);
  const cpu = new CpuMeter(serving.tree().map((each) => each.pid));
  const options = { port: serving.port, path: '/', connections: CONNECTIONS, seconds: LOAD_SECONDS };
  const loaded = await cpu.during(() => load(options, scratch));
  await sleep(SETTLE_MS);
  const after = await serving.untilWorkers(WORKERS);
  if (after.workers.some((pid) => !before.workers.includes(pid))) throw new Error(`${serving.name} lost a worker`);
  const memory = readHerd(after, atFork);
  await serving.kill();
  return {
    sharedAtForkMib: inMiB(memory.sharedAtFork),
    sharedMib: inMiB(memory.shared),
    retention: retention(memory),
    unsharedMib: inMiB(memory.unshared),
    freshMib: inMiB(memory.fresh),
    privateMib: inMiB(memory.private),
    herdPssMib: inMiB(memory.pss),
    supervisorPssMib: inMiB(memory.supervisorPss),
    keeperPssMib: inMiB(memory.keeperPss),
    requests: loaded.requests,
    requestsPerSecond: loaded.requestsPerSecond,
    cpuMsPerRequest: (cpu.cpuSeconds * 1000) / loaded.requests,
    p50Ms: loaded.p50Ms,
    p99Ms: loaded.p99Ms,
    worstMs: loaded.worstMs,
  };
}

async function afterReadingAll(server: Server, { scratch, feedEnvironment: environment }: Bench) {
  const serving = await Serving.start({ server, app: 'feed', workers: 1, environment, scratch });
  await sleep(SETTLE_MS);
  const atFork = sharedAtFork(await serving.untilWorkers(1));
  const answer = await get(serving.port, '/read-all');
  if (answer.status !== 200) throw new Error(`${serving.name} answers /read-all with ${answer.status}`);
  const { objects } = JSON.parse(answer.body) as { objects: number };
  const memory = readHerd(await serving.untilWorkers(1), atFork);
  await serving.kill();
  return {
    objects,
    sharedAtForkMib: inMiB(memory.sharedAtFork),
    sharedMib: inMiB(memory.shared),
    retention: retention(memory),
    unsharedMib: inMiB(memory.unshared),
    privateMib: inMiB(memory.private),
  };
}

async function measure(bench: Bench): Promise<Outcome> {
  const servers = [gunicornPreload, uwsgi, ...POLICIES.map(cowherd)];
  const readers = [gunicornPreload, ...POLICIES.filter((policy) => policy !== 'auto').map(cowherd)];
  const loaded = new Map<string, LoadedRound[]>(servers.map((each) => [nameOf(each), []]));
  const read = new Map<string, ReadRound[]>(readers.map((each) => [nameOf(each), []]));
  bench.say(`${WORKERS} workers, ${CONNECTIONS} connections, ${LOAD_SECONDS} s of load, ${ROUNDS} rounds`);
  for (const { round, arm } of turns(servers, ROUNDS)) {
    const result = await underLoad(arm, bench);
    loaded.get(nameOf(arm))?.push(result);
    bench.say(
      `  round ${round + 1}  ${nameOf(arm).padEnd(18)}  keeps ${(100 * result.retention).toFixed(1)}% shared, ` +
        `${result.requestsPerSecond.toFixed(0)} requests/s, p99 ${result.p99Ms.toFixed(0)} ms`,
    );
  }
  for (const { arm } of turns(readers, ROUNDS)) read.get(nameOf(arm))?.push(await afterReadingAll(arm, bench));

  showLoaded(loaded, bench);
  showRead(read, bench);
  const gunicorn = roundsOf(loaded, gunicornPreload);
  const auto = roundsOf(loaded, cowherd('auto'));
  const retentionOf = (server: Server): number => median(roundsOf(loaded, server).map((round) => round.retention));
  return {
    figures: {
      gunicorn_retention: retentionOf(gunicornPreload),
      uwsgi_retention: retentionOf(uwsgi),
      instagram_retention: retentionOf(cowherd('instagram')),
      freeze_retention: retentionOf(cowherd('freeze')),
      immortal_retention_after_reading_all: median(roundsOf(read, cowherd('immortal')).map((round) => round.retention)),
      auto_pss_ratio_to_gunicorn: ratio(auto, gunicorn, 'herdPssMib'),
      auto_rps_ratio_to_gunicorn: ratio(auto, gunicorn, 'requestsPerSecond'),
      auto_rps_ratio_to_uwsgi: ratio(auto, roundsOf(loaded, uwsgi), 'requestsPerSecond'),
      auto_p99_ratio_to_gunicorn: ratio(auto, gunicorn, 'p99Ms'),
    },
    arms: { loaded: Object.fromEntries(loaded), reading_all: Object.fromEntries(read) },
  };
}

function roundsOf<Round>(rounds: ReadonlyMap<string, Round[]>, server: Server): Round[] {
  const found = rounds.get(nameOf(server));
  if (found === undefined) throw new Error(`there is no arm ${nameOf(server)}`);
  return found;
}

/** The median of the ratios within each round. */
function ratio(ours: readonly LoadedRound[], theirs: readonly LoadedRound[], key: keyof LoadedRound): number {
  return median(
    ours.map((round, index) => {
      const other = theirs[index];
      return other === undefined ? Number.NaN : round[key] / other[key];
    }),
  );
}

function showLoaded(loaded: ReadonlyMap<string, LoadedRound[]>, { say }: Bench): void {
  const medians = [...loaded].map(([name, rounds]) => [name, medianOfEach(rounds)] as const);
  say('\nMemory after the load, MiB: the median worker, and the whole herd');
  say(
    table(
      [
        '',
        'shared at fork',
        'shared after',
        'kept %',
        'unshared',
        'fresh',
        'private',
        'herd PSS',
        'supervisor',
        'keeper',
      ],
      medians.map(([name, each]) => [
        name,
        each.sharedAtForkMib,
        each.sharedMib,
        100 * each.retention,
        each.unsharedMib,
        each.freshMib,
        each.privateMib,
        each.herdPssMib,
        each.supervisorPssMib,
        each.keeperPssMib,
      ]),
    ),
  );
  say('\nRequests');
  say(
    table(
      ['', 'requests/s', 'CPU ms per request', 'p50 ms', 'p99 ms', 'worst ms'],
      medians.map(([name, each]) => [
        name,
        each.requestsPerSecond,
        each.cpuMsPerRequest,
        each.p50Ms,
        each.p99Ms,
        each.worstMs,
      ]),
    ),
  );
}

function showRead(read: ReadonlyMap<string, ReadRound[]>, { say }: Bench): void {
  say('\nAfter a worker has read every preloaded object, MiB');
  say(
    table(
      ['', 'shared at fork', 'shared after', 'kept %', 'unshared', 'private'],
      [...read].map(([name, rounds]) => {
        const each = medianOfEach(rounds);
        return [name, each.sharedAtForkMib, each.sharedMib, 100 * each.retention, each.unsharedMib, each.privateMib];
      }),
    ),
  );
}

await benchmark('sharing', targets, measure);
