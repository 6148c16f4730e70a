/**
 * `make bench-spawn`: the time from the command until a new worker answers, and the cost of each policy in the mold.
 *
 * The server has one worker, which a sleeping request keeps busy. SIGTTIN asks for a second worker (the same signal in
 * gunicorn and in Cowherd). At the same time a page that tells the pid is requested on another connection. Only the new
 * worker can take that request. So the measured time goes from the signal, through the fork or the loading of the
 * application, to the last byte of the answer. SIGTTOU removes the older worker again.
 *
 * Figures are medians; the servers take turns. Environment: BENCH_ROUNDS (10 spawns; at most 3 for the prices, and for
 * gunicorn without --preload, which takes seconds for each).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../src/base/clock.ts';
import { bytes, inMiB } from '../src/base/units.ts';
import { type Bench, benchmark, type Outcome } from './lib/benchmark.ts';
import { atMost } from './lib/figures.ts';
import { get } from './lib/http.ts';
import { cowherd, gunicornPlain, gunicornPreload, nameOf, POLICIES, type Policy, type Server } from './lib/servers.ts';
import { Serving } from './lib/serving.ts';
import { settingFrom } from './lib/settings.ts';
import { median, medianOfEach, range } from './lib/statistics.ts';
import { table } from './lib/table.ts';
import { turns } from './lib/turns.ts';

const ROUNDS = settingFrom(process.env, 'BENCH_ROUNDS', 10);
const ROUNDS_OF_SLOW = Math.min(ROUNDS, 3);
const PRICE_ROUNDS = Math.min(ROUNDS, 3);
/** How long the old worker is kept busy. The measurement is void unless the new one answers within that time. */
const BUSY_SECONDS = 1;
const BUSY_SECONDS_OF_SLOW = 12;
/** Long enough for the worker to have taken the request that keeps it busy. */
const TAKEN_MS = 150;

const targets = [atMost('spawn_ms', 150)];

interface Arm {
  readonly server: Server;
  readonly rounds: number;
  readonly busySeconds: number;
}

/** One spawn, in milliseconds; null if the old worker was free again before the new one answered. */
async function spawnOnce(serving: Serving, busySeconds: number): Promise<number | null> {
  const [oldWorker] = (await serving.untilWorkers(1)).workers;
  const busy = get(serving.port, `/slow?seconds=${busySeconds}`);
  await sleep(TAKEN_MS);
  const started = monotonicClock.now();
  serving.signal('SIGTTIN');
  const answer = await get(serving.port, '/stats');
  const took = monotonicClock.now() - started;
  const { pid } = JSON.parse(answer.body) as { pid: number };
  await busy;
  await serving.untilWorkers(2);
  serving.signal('SIGTTOU');
  await serving.untilWorkers(1);
  return pid === oldWorker ? null : took;
}

/** Starts all servers, which then take turns. The slow ones skip the later rounds. */
async function spawnTimes(arms: readonly Arm[], bench: Bench): Promise<Map<string, number[]>> {
  const environment = bench.feedEnvironment;
  const servings = new Map<Arm, Serving>();
  const times = new Map<string, number[]>(arms.map(({ server }) => [nameOf(server), []]));
  for (const arm of arms) {
    servings.set(
      arm,
      await Serving.start({ server: arm.server, app: 'feed', workers: 1, environment, scratch: bench.scratch }),
    );
  }
  for (const { round, arm } of turns(arms, ROUNDS)) {
    const serving = servings.get(arm);
    if (serving === undefined || round >= arm.rounds) continue;
    const took = (await spawnOnce(serving, arm.busySeconds)) ?? (await spawnOnce(serving, arm.busySeconds));
    if (took === null) throw new Error(`${serving.name}: a new worker takes longer than ${arm.busySeconds} s`);
    times.get(nameOf(arm.server))?.push(took);
  }
  for (const serving of servings.values()) await serving.kill();
  return times;
}

/** The part of `cowherd status` about the preparation of a mold's heap. */
interface HeapReport {
  readonly seconds: number;
  readonly price_bytes: number;
  readonly steps: readonly { readonly name: string; readonly seconds: number; readonly price_bytes: number }[];
}

type Price = Awaited<ReturnType<typeof priceOf>>;

async function priceOf(policy: Policy, { scratch, feedEnvironment: environment }: Bench) {
  const serving = await Serving.start({ server: cowherd(policy), app: 'feed', workers: 1, environment, scratch });
  const status = await serving.status();
  await serving.kill();
  const mold = status?.molds[0];
  if (mold === undefined) throw new Error(`cowherd ${policy} has no mold`);
  const heap = mold.report['heap'] as HeapReport | undefined;
  const scout = mold.report['scout'] as { seconds: number } | undefined;
  return {
    totals: {
      readyAfterSeconds: mold.ready_after_seconds ?? Number.NaN,
      heapSeconds: heap?.seconds ?? 0,
      heapMib: inMiB(bytes(heap?.price_bytes ?? 0)),
      scoutSeconds: scout?.seconds ?? 0,
    },
    steps: heap?.steps ?? [],
  };
}

async function measure(bench: Bench): Promise<Outcome> {
  bench.say('From SIGTTIN to the answer of the new worker, milliseconds');
  const slow = { rounds: ROUNDS_OF_SLOW, busySeconds: BUSY_SECONDS_OF_SLOW };
  const quick = { rounds: ROUNDS, busySeconds: BUSY_SECONDS };
  const arms: Arm[] = [
    { server: gunicornPlain, ...slow },
    { server: gunicornPreload, ...quick },
    { server: cowherd('auto'), ...quick },
  ];
  const times = await spawnTimes(arms, bench);
  bench.say(
    table(
      ['', 'median ms', 'least', 'most', 'spawns'],
      [...times].map(([name, each]) => {
        const { least, most } = range(each);
        return [name, median(each), least, most, String(each.length)];
      }),
    ),
  );

  const prices = new Map<Policy, Price[]>(POLICIES.map((policy) => [policy, []]));
  for (const { arm } of turns(POLICIES, PRICE_ROUNDS)) prices.get(arm)?.push(await priceOf(arm, bench));
  bench.say('\nThe price of each policy in the mold');
  bench.say(
    table(
      ['policy', 'heap, s', 'heap, MiB', 'scout, s', 'mold ready after, s', 'longest step'],
      [...prices].map(([policy, each]) => {
        const middle = medianOfEach(each.map((one) => one.totals));
        const longest = each[0]?.steps.toSorted((a, b) => b.seconds - a.seconds)[0];
        return [
          policy,
          middle.heapSeconds,
          middle.heapMib,
          middle.scoutSeconds,
          middle.readyAfterSeconds,
          longest === undefined ? '' : `${longest.name} ${longest.seconds.toFixed(2)} s`,
        ];
      }),
      2,
    ),
  );
  return {
    figures: { spawn_ms: median(times.get(nameOf(cowherd('auto'))) ?? []) },
    arms: { spawn_ms: Object.fromEntries(times), prices: Object.fromEntries(prices) },
  };
}

await benchmark('spawn', targets, measure);
