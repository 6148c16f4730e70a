/**
 * `make bench-reload`: how a reload slows the requests meanwhile, and how much memory it takes.
 *
 * The bundled application runs with eight sync workers, which a load has warmed; then requests come at a steady pace
 * (`lib/paced-load-process.ts`; latencies count from when a request was due). Cowherd's `reload` is compared with
 * gunicorn's SIGHUP (each new worker loads the application, the old ones are told to leave at once), with gunicorn's
 * SIGUSR2 with `--preload` (a second master, then SIGTERM to the first), and with uWSGI's chain reload (`--lazy-apps`:
 * one worker after the other loads the application). Each server is reloaded twice:
 *
 * - The first reload measures memory: the proportional memory (PSS) of all processes of the server, summed up several
 *   times a second. `extra_memory_in_molds` is the largest sum minus the one right before, divided by the anonymous
 *   memory of Cowherd's mold. The host's available memory would show the same, but with other work on the machine.
 * - The second reload measures requests: those due in the seconds before it, and those due from the command until one
 *   second after the last old process has left, when the new workers' caches are still cold. `p99_ratio` is the 99th
 *   percentile during the reload divided by the one before it; median over the rounds. `failed` counts the failed
 *   requests of Cowherd in all rounds, during the first reload too.
 *
 * Environment: BENCH_ROUNDS (3), BENCH_SECONDS (10, of load before a reload), BENCH_RATE (30 requests a second: a
 * quarter of what the application can do on two cores).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../src/base/clock.ts';
import { bytes, inMiB } from '../src/base/units.ts';
import { type Bench, benchmark, type Outcome } from './lib/benchmark.ts';
import { atMost } from './lib/figures.ts';
import { sharedAtFork } from './lib/herd-memory.ts';
import { load } from './lib/load.ts';
import { PacedLoad, type PacedRequest } from './lib/paced-load.ts';
import { endAllStarted } from './lib/processes.ts';
import { watchPss } from './lib/pss-watch.ts';
import { reload } from './lib/reloading.ts';
import { cowherd, gunicornHup, gunicornUsr2, nameOf, type Server, uwsgiChain } from './lib/servers.ts';
import { Serving } from './lib/serving.ts';
import { settingFrom } from './lib/settings.ts';
import { median, medianOfEach, percentile } from './lib/statistics.ts';
import { table } from './lib/table.ts';
import { turns } from './lib/turns.ts';

const WORKERS = 8;
const ROUNDS = settingFrom(process.env, 'BENCH_ROUNDS', 3);
const SECONDS = settingFrom(process.env, 'BENCH_SECONDS', 10);
const RATE = settingFrom(process.env, 'BENCH_RATE', 30);
const CONNECTIONS = 16;
const SETTLE_MS = 1000;

const targets = [atMost('failed', 0), atMost('p99_ratio', 2), atMost('extra_memory_in_molds', 1.2)];

async function reloadTwice(server: Server, { scratch, feedEnvironment: environment }: Bench) {
  const serving = await Serving.start({ server, app: 'feed', workers: WORKERS, environment, scratch });
  await load({ port: serving.port, path: '/', connections: CONNECTIONS, seconds: SECONDS }, scratch);
  const members = await serving.untilWorkers(WORKERS);
  const moldBytes = sharedAtFork(members);

  const firstPace = await PacedLoad.start({ port: serving.port, path: '/', perSecond: RATE });
  const { result: first, watched } = await watchPss(async () => await reload(serving, members.mold, WORKERS));
  // Requests that have piled up must not count for the second reload.
  const requestsAtFirst = await firstPace.end();

  const pace = await PacedLoad.start({ port: serving.port, path: '/', perSecond: RATE });
  await sleep(SECONDS * 1000);
  const toldAtMs = monotonicClock.now();
  await reload(serving, first.master, WORKERS);
  const doneAtMs = monotonicClock.now();
  await sleep(SETTLE_MS);
  const requests = await pace.end();

  endAllStarted();
  const before = requests.filter(({ dueAtMs }) => dueAtMs < toldAtMs);
  const during = requests.filter(({ dueAtMs }) => dueAtMs >= toldAtMs && dueAtMs < doneAtMs + SETTLE_MS);
  return {
    seconds: (doneAtMs - toldAtMs) / 1000,
    p50BeforeMs: percentileOf(before, 0.5),
    p50DuringMs: percentileOf(during, 0.5),
    p99BeforeMs: percentileOf(before, 0.99),
    p99DuringMs: percentileOf(during, 0.99),
    p99Ratio: percentileOf(during, 0.99) / percentileOf(before, 0.99),
    worstDuringMs: percentileOf(during, 1),
    requestsDuring: during.length,
    failed: [...requestsAtFirst, ...requests].filter(({ failure }) => failure !== null).length,
    extraMib: inMiB(bytes(watched.mostBytes - watched.startBytes)),
    moldMib: inMiB(moldBytes),
    looks: watched.looks,
  };
}

type Round = Awaited<ReturnType<typeof reloadTwice>>;

function percentileOf(requests: readonly PacedRequest[], part: number): number {
  return percentile(
    requests.map(({ latencyMs }) => latencyMs),
    part,
  );
}

async function measure(bench: Bench): Promise<Outcome> {
  bench.say(`Reloading ${WORKERS} workers under ${RATE} requests/s: medians of ${ROUNDS} rounds`);
  const servers = [gunicornHup, gunicornUsr2, uwsgiChain, cowherd('auto')];
  const rounds = new Map<string, Round[]>(servers.map((each) => [nameOf(each), []]));
  for (const { round, arm } of turns(servers, ROUNDS)) {
    const result = await reloadTwice(arm, bench);
    rounds.get(nameOf(arm))?.push(result);
    bench.say(
      `  round ${round + 1}  ${nameOf(arm).padEnd(24)}  ${result.seconds.toFixed(1)} s, ` +
        `p99 ${result.p99BeforeMs.toFixed(0)} → ${result.p99DuringMs.toFixed(0)} ms, failed ${result.failed}`,
    );
  }
  const ours = rounds.get(nameOf(cowherd('auto'))) ?? [];
  const moldMib = median(ours.map((round) => round.moldMib));
  bench.say(
    table(
      [
        '',
        'seconds',
        'p99 before, ms',
        'p99 during, ms',
        'ratio',
        'worst during, ms',
        'extra MiB',
        'extra in molds',
        'failed',
      ],
      [...rounds].map(([name, each]) => {
        const middle = medianOfEach(each);
        return [
          name,
          middle.seconds,
          middle.p99BeforeMs,
          middle.p99DuringMs,
          middle.p99Ratio,
          middle.worstDuringMs,
          middle.extraMib,
          middle.extraMib / moldMib,
          String(each.reduce((sum, { failed }) => sum + failed, 0)),
        ];
      }),
      2,
    ),
  );
  return {
    figures: {
      failed: ours.reduce((sum, { failed }) => sum + failed, 0),
      p99_ratio: median(ours.map((round) => round.p99Ratio)),
      extra_memory_in_molds: median(ours.map((round) => round.extraMib)) / moldMib,
    },
    arms: Object.fromEntries(rounds),
  };
}

await benchmark('reload', targets, measure);
