/**
 * `make bench-overhead`: the cost of the supervisor and the keeper, with 8 and with 64 workers.
 *
 * Two servers of the bundled application run at once: one samples (with the default budget), one does not
 * (`--sampling-budget 0`). A load fills the workers' caches, then both servers rest, then they take turns under load.
 * The supervisor of the waiting server is stopped (SIGSTOP), so that it takes nothing from the other one. The sampling
 * budget that it gains meanwhile is spent before its own turn is measured.
 *
 * - `sampling_core_percent_N`: the cost of sampling in percent of one core. It is the highest of the sampler's own
 *   count (`cowherd status`, herd.sampling) and of the extra CPU time of the sampling server, at rest and under load
 *   (user and system time of the keeper and of all threads of the supervisor).
 * - `supervisor_mib`, `keeper_mib`: the largest resident memory seen of each.
 * - `rps_ratio_sampling`: requests per second with sampling divided by those without, with 8 workers; median over the
 *   pairs of turns.
 *
 * Environment: BENCH_ROUNDS (6 pairs of turns with 8 workers; a third with 64), BENCH_SECONDS (5 a turn),
 * BENCH_REST_SECONDS (20).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bytes, inMiB, pagesToBytes } from '../src/base/units.ts';
import { kernelUnits } from '../src/procfs/auxv.ts';
import { readStatm } from '../src/procfs/statm.ts';
import { type Bench, benchmark, type Outcome } from './lib/benchmark.ts';
import { CpuMeter } from './lib/cpu.ts';
import { atLeast, atMost } from './lib/figures.ts';
import { load, type LoadOptions } from './lib/load.ts';
import { kill } from './lib/processes.ts';
import { Serving } from './lib/serving.ts';
import { settingFrom } from './lib/settings.ts';
import { median } from './lib/statistics.ts';
import { table } from './lib/table.ts';
import { turns } from './lib/turns.ts';

const CONNECTIONS = 16;
const PAIRS = settingFrom(process.env, 'BENCH_ROUNDS', 6);
const TURN_SECONDS = settingFrom(process.env, 'BENCH_SECONDS', 5);
const REST_SECONDS = settingFrom(process.env, 'BENCH_REST_SECONDS', 20);
/** After a start or a stop, the sampler has much to look at, which is neither rest nor ordinary load. */
const SETTLE_MS = 3000;
const SMALL = 8;
const LARGE = 64;

const targets = [
  atMost('sampling_core_percent_8', 1),
  atMost('sampling_core_percent_64', 1),
  atMost('supervisor_mib', 120),
  atMost('keeper_mib', 20),
  atLeast('rps_ratio_sampling', 0.99),
];

type Sampling = 'on' | 'off';

/** One of the two servers, with its measurements. */
class Side {
  readonly sampling: Sampling;
  readonly serving: Serving;
  readonly keeper: number;
  readonly atRest: CpuMeter;
  readonly underLoad: CpuMeter;
  readonly requestsPerSecond: number[] = [];
  supervisorBytes = 0;
  keeperBytes = 0;
  spentPercent = 0;

  private constructor(sampling: Sampling, serving: Serving, keeper: number) {
    this.sampling = sampling;
    this.serving = serving;
    this.keeper = keeper;
    this.atRest = new CpuMeter([serving.root, keeper]);
    this.underLoad = new CpuMeter([serving.root, keeper]);
  }

  static async start(sampling: Sampling, workers: number, { scratch, feedEnvironment }: Bench): Promise<Side> {
    const server =
      sampling === 'on'
        ? ({ kind: 'cowherd', policy: 'auto' } as const)
        : ({ kind: 'cowherd', policy: 'auto', samplingBudgetPercent: 0 } as const);
    const serving = await Serving.start({ server, app: 'feed', workers, environment: feedEnvironment, scratch });
    const { keeper } = await serving.untilWorkers(workers);
    if (keeper === null) throw new Error(`${serving.name} has no keeper`);
    return new Side(sampling, serving, keeper);
  }

  /** Records the current memory and the sampler's count of its own cost. */
  async look(): Promise<void> {
    this.supervisorBytes = Math.max(this.supervisorBytes, residentBytes(this.serving.root));
    this.keeperBytes = Math.max(this.keeperBytes, residentBytes(this.keeper));
    const status = await this.serving.status();
    if (status === null) throw new Error('the supervisor does not answer');
    this.spentPercent = Math.max(this.spentPercent, status.herd.sampling.spent_percent);
  }
}

function residentBytes(pid: number): Bytes {
  const statm = readStatm(pid);
  if (statm === null) throw new Error(`process ${pid} has ended`);
  return pagesToBytes(statm.resident, kernelUnits().pageSize);
}

async function measureHerd(workers: number, pairs: number, bench: Bench) {
  const sides = [await Side.start('on', workers, bench), await Side.start('off', workers, bench)];
  for (const side of sides) await load(loadOn(side), bench.scratch);
  await sleep(SETTLE_MS);
  await Promise.all(sides.map((side) => side.atRest.during(() => sleep(REST_SECONDS * 1000))));
  for (const side of sides) await side.look();
  for (const { arm: side } of turns(sides, pairs)) await underLoad(side, sides, bench);
  for (const side of sides) await side.serving.kill();
  const [on, off] = sides.map((side) => summary(workers, side));
  if (on === undefined || off === undefined) throw new Error('there are two sides');
  return { workers, on, off };
}

function loadOn(side: Side): LoadOptions {
  return { port: side.serving.port, path: '/', connections: CONNECTIONS, seconds: TURN_SECONDS };
}

async function underLoad(side: Side, sides: readonly Side[], { scratch }: Bench): Promise<void> {
  const others = sides.filter((each) => each !== side);
  for (const other of others) kill(other.serving.root, 'SIGSTOP');
  await sleep(SETTLE_MS);
  const result = await side.underLoad.during(() => load(loadOn(side), scratch));
  side.requestsPerSecond.push(result.requestsPerSecond);
  await side.look();
  for (const other of others) kill(other.serving.root, 'SIGCONT');
}

function summary(workers: number, side: Side) {
  return {
    workers,
    sampling: side.sampling,
    restPercent: side.atRest.corePercent,
    loadPercent: side.underLoad.corePercent,
    spentPercent: side.spentPercent,
    supervisorMib: inMiB(side.supervisorBytes as Bytes),
    keeperMib: inMiB(side.keeperBytes as Bytes),
    requestsPerSecond: side.requestsPerSecond,
  };
}

type Herd = Awaited<ReturnType<typeof measureHerd>>;

function samplingPercent({ on, off }: Herd): number {
  return Math.max(on.spentPercent, on.restPercent - off.restPercent, on.loadPercent - off.loadPercent);
}

async function measure(bench: Bench): Promise<Outcome> {
  bench.say(`Supervisor and keeper: ${REST_SECONDS} s at rest, then turns of ${TURN_SECONDS} s under load`);
  const small = await measureHerd(SMALL, PAIRS, bench);
  const large = await measureHerd(LARGE, Math.ceil(PAIRS / 3), bench);
  const herds = [small, large];
  const rows = herds.flatMap(({ on, off }) => [on, off]);
  bench.say('CPU: supervisor and keeper together, percent of one core');
  bench.say(
    table(
      ['workers', 'sampling', 'at rest', 'under load', 'sampler says', 'supervisor MiB', 'keeper MiB', 'requests/s'],
      rows.map((row) => [
        String(row.workers),
        row.sampling,
        row.restPercent,
        row.loadPercent,
        row.spentPercent,
        row.supervisorMib,
        row.keeperMib,
        median(row.requestsPerSecond),
      ]),
      2,
    ),
  );
  const pairs = small.on.requestsPerSecond.map((on, pair) => on / (small.off.requestsPerSecond[pair] ?? Number.NaN));
  return {
    figures: {
      sampling_core_percent_8: samplingPercent(small),
      sampling_core_percent_64: samplingPercent(large),
      supervisor_mib: Math.max(...rows.map((row) => row.supervisorMib)),
      keeper_mib: Math.max(...rows.map((row) => row.keeperMib)),
      rps_ratio_sampling: median(pairs),
    },
    arms: Object.fromEntries(herds.map((herd) => [`${herd.workers} workers`, herd])),
  };
}

await benchmark('overhead', targets, measure);
