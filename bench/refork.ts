/**
 * `make bench-refork`: the memory that a refork saves in an application that warms up only in its workers.
 *
 * The application (`apps/warming.py`) is small when it is loaded. With its first 100 requests each worker warms about
 * 100 MiB of imported modules, compiled templates and caches. Two herds with eight sync workers and the policy `auto`
 * get load until every worker is warm. One of them reforks, and gets load until each new worker has answered the same
 * number of requests. Then the two take turns under load.
 *
 * - `pss_ratio`: the proportional memory (PSS) of all processes of the reforked herd, including supervisor and keeper,
 *   after the refork divided by before it. Each worker has answered at least one request per page at both times. The
 *   table shows the private memory of each worker before and after.
 * - `rps_ratio`: requests per second of the reforked herd divided by those of the other one; median over the pairs of
 *   turns.
 *
 * Environment: BENCH_ROUNDS (6 pairs of turns), BENCH_SECONDS (5 a turn).
 */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytes, inMiB } from '../src/base/units.ts';
import { readSmapsRollup } from '../src/procfs/smaps-rollup.ts';
import { type Bench, benchmark, type Outcome } from './lib/benchmark.ts';
import { atLeast, atMost } from './lib/figures.ts';
import { sharedAtFork } from './lib/herd-memory.ts';
import { load } from './lib/load.ts';
import { APPS, PYTHON } from './lib/places.ts';
import { rollOut } from './lib/reloading.ts';
import { cowherd } from './lib/servers.ts';
import { Serving } from './lib/serving.ts';
import { settingFrom } from './lib/settings.ts';
import { median } from './lib/statistics.ts';
import { table } from './lib/table.ts';
import { turns } from './lib/turns.ts';

const WORKERS = 8;
const CONNECTIONS = 16;
/** One per page of the application. */
const REQUESTS_UNTIL_WARM = 100;
const WARMING_SECONDS = 5;
const MOST_WARMING_TURNS = 60;
const SETTLE_MS = 1000;
const PAIRS = settingFrom(process.env, 'BENCH_ROUNDS', 6);
const TURN_SECONDS = settingFrom(process.env, 'BENCH_SECONDS', 5);

const targets = [atMost('pss_ratio', 0.5), atLeast('rps_ratio', 1)];

interface Memory {
  readonly herdPssMib: number;
  readonly moldAnonymousMib: number;
  /** Private memory and PSS of each worker. */
  readonly workers: readonly { readonly pid: number; readonly privateMib: number; readonly pssMib: number }[];
}

async function startHerd({ scratch }: Bench): Promise<Serving> {
  const environment = modulesIn(scratch);
  return await Serving.start({ server: cowherd('auto'), app: 'warming', workers: WORKERS, environment, scratch });
}

function modulesIn(scratch: string): Record<string, string> {
  return { WARMING_MODULES: path.join(scratch, 'modules') };
}

/** Puts load on the herd until each worker has answered REQUESTS_UNTIL_WARM requests. */
async function warm(serving: Serving, { scratch }: Bench): Promise<void> {
  for (let turn = 0; turn < MOST_WARMING_TURNS; turn += 1) {
    await load({ port: serving.port, path: '/', connections: CONNECTIONS, seconds: WARMING_SECONDS }, scratch);
    const workers = (await serving.status())?.workers ?? [];
    if (workers.length === WORKERS && workers.every(({ requests }) => requests >= REQUESTS_UNTIL_WARM)) {
      await sleep(SETTLE_MS);
      return;
    }
  }
  throw new Error(`${serving.name} is not warm after ${MOST_WARMING_TURNS * WARMING_SECONDS} s of load`);
}

async function memoryOf(serving: Serving): Promise<Memory> {
  const members = await serving.untilWorkers(WORKERS);
  const workers = members.workers.map((pid) => {
    const { pss, privateClean, privateDirty } = rollupOf(pid);
    return { pid, pssMib: inMiB(pss), privateMib: inMiB(bytes(privateClean + privateDirty)) };
  });
  const others = [members.mold, members.root, members.keeper].flatMap((pid) => pid ?? []);
  return {
    herdPssMib:
      workers.reduce((sum, { pssMib }) => sum + pssMib, 0) +
      others.reduce((sum, pid) => sum + inMiB(rollupOf(pid).pss), 0),
    moldAnonymousMib: inMiB(sharedAtFork(members)),
    workers,
  };
}

function rollupOf(pid: number) {
  const rollup = readSmapsRollup(pid);
  if (rollup === null) throw new Error(`process ${pid} of the herd has ended`);
  return rollup;
}

async function measure(bench: Bench): Promise<Outcome> {
  bench.say(`${WORKERS} workers that warm about 100 MiB each`);
  execFileSync(PYTHON, ['warming.py'], { cwd: APPS, env: { ...process.env, ...modulesIn(bench.scratch) } });
  const reforked = await startHerd(bench);
  const kept = await startHerd(bench);
  for (const herd of [reforked, kept]) await warm(herd, bench);

  const before = await memoryOf(reforked);
  await rollOut(reforked, 'refork');
  const reforkSeconds = (await reforked.status())?.herd.last_rollout?.seconds ?? Number.NaN;
  await warm(reforked, bench);
  const after = await memoryOf(reforked);
  showMemory(before, after, bench);

  const perSecond = new Map<Serving, number[]>([
    [kept, []],
    [reforked, []],
  ]);
  for (const { arm } of turns([kept, reforked], PAIRS)) {
    const options = { port: arm.port, path: '/', connections: CONNECTIONS, seconds: TURN_SECONDS };
    perSecond.get(arm)?.push((await load(options, bench.scratch)).requestsPerSecond);
  }
  const wins = (await reforked.status())?.herd.refork.wins ?? [];
  for (const herd of [reforked, kept]) await herd.kill();

  const keptPerSecond = perSecond.get(kept) ?? [];
  const reforkedPerSecond = perSecond.get(reforked) ?? [];
  bench.say(
    `The refork took ${reforkSeconds.toFixed(1)} s. ` +
      `Requests/s: ${median(keptPerSecond).toFixed(0)} without, ${median(reforkedPerSecond).toFixed(0)} with refork`,
  );
  return {
    figures: {
      pss_ratio: after.herdPssMib / before.herdPssMib,
      rps_ratio: median(reforkedPerSecond.map((rate, pair) => rate / (keptPerSecond[pair] ?? Number.NaN))),
    },
    arms: { before, after, reforkSeconds, wins, keptPerSecond, reforkedPerSecond },
  };
}

function showMemory(before: Memory, after: Memory, { say }: Bench): void {
  const row = (name: string, was: number, is: number) => [name, was, is, was - is];
  const byPrivate = ({ workers }: Memory) => workers.toSorted((a, b) => b.privateMib - a.privateMib);
  const now = byPrivate(after);
  say(
    table(
      ['MiB', 'before', 'after', 'saved'],
      [
        ...byPrivate(before).map((worker, index) =>
          row(`private of worker ${index + 1}`, worker.privateMib, now[index]?.privateMib ?? Number.NaN),
        ),
        row('anonymous of the mold', before.moldAnonymousMib, after.moldAnonymousMib),
        row('PSS of the herd', before.herdPssMib, after.herdPssMib),
      ],
    ),
  );
}

await benchmark('refork', targets, measure);
