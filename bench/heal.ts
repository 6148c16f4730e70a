/**
 * `make bench-heal`: how much of what collections have copied `cowherd heal` wins back, and what that costs.
 *
 * Cowherd with the heap policy `stock`, and gunicorn with `--preload` whose processes allow merging (as docs/heal.md
 * has it for gunicorn.conf.py), serve the bundled application with eight sync workers, from a fresh start each time,
 * until a load has had their workers collect. Then nothing is asked any more: `cowherd why` compares the memory of
 * every worker with that of the process it was forked from, `cowherd heal` heals, `cowherd why` compares again.
 *
 * - identical: bytes that workers hold alone and that are byte for byte what the mold has there; sum of the workers.
 * - `heal_percent`: how much of that is won back: by the second comparison (what is not identical and unshared any
 *   more) or by the fall of PSS, whichever is less; the median of the rounds, of the server with which it is less.
 *
 * What the kernel merges beyond that, pages that several workers have alike but not the mold, counts in the fall of PSS
 * and so may make it more than all. The CPU time is that of the kernel's thread ksmd.
 *
 * It takes root and a kernel that can merge (docs/heal.md), and KSM must be off before. Environment: BENCH_ROUNDS (3),
 * BENCH_SECONDS (15, of load), BENCH_CONNECTIONS (16).
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { bytes, inMiB } from '../src/base/units.ts';
import type { HealReport } from '../src/cli/heal/heal-report.ts';
import type { WhyReport } from '../src/forensics/answer/report.ts';
import { readKsmSettings, whyNoMerging } from '../src/procfs/ksm.ts';
import { type Bench, benchmark, type Outcome } from './lib/benchmark.ts';
import { atLeast } from './lib/figures.ts';
import { load } from './lib/load.ts';
import { CHECKOUT, COWHERD } from './lib/places.ts';
import { cowherd, gunicornPreload, nameOf, type Server } from './lib/servers.ts';
import { Serving } from './lib/serving.ts';
import { settingFrom } from './lib/settings.ts';
import { median, medianOfEach } from './lib/statistics.ts';
import { table } from './lib/table.ts';
import { turns } from './lib/turns.ts';

const WORKERS = 8;
const SETTLE_MS = 1000;
const ROUNDS = settingFrom(process.env, 'BENCH_ROUNDS', 3);
const LOAD_SECONDS = settingFrom(process.env, 'BENCH_SECONDS', 15);
const CONNECTIONS = settingFrom(process.env, 'BENCH_CONNECTIONS', 16);
/** A report names every mapping of every worker. */
const MOST_OUTPUT = 256 * 1024 * 1024;

const targets = [atLeast('heal_percent', 80)];

/** What has gunicorn's processes allow it; Cowherd's are told to. */
const ALLOWING = {
  PYTHONPATH: path.join(CHECKOUT, 'agent'),
  GUNICORN_CMD_ARGS: `--config ${path.join(import.meta.dirname, 'lib', 'allow_merging.py')}`,
};

type Round = Awaited<ReturnType<typeof damageAndHeal>>;

async function ask<Report>(...args: string[]): Promise<Report> {
  const { stdout } = await promisify(execFile)(COWHERD, [...args, '--json'], { maxBuffer: MOST_OUTPUT });
  return JSON.parse(stdout) as Report;
}

function sumOf(report: WhyReport, of: (worker: WhyReport['workers'][number]) => number): number {
  return report.workers.reduce((sum, worker) => sum + of(worker), 0);
}

const identicalIn = (report: WhyReport): number => sumOf(report, (worker) => worker.causes.identical.bytes);
const unsharedIn = (report: WhyReport): number => sumOf(report, (worker) => worker.unshared);

async function damageAndHeal(server: Server, { scratch, feedEnvironment }: Bench) {
  const environment = server.kind === 'gunicorn' ? { ...feedEnvironment, ...ALLOWING } : feedEnvironment;
  const serving = await Serving.start({ server, app: 'feed', workers: WORKERS, environment, scratch });
  await sleep(SETTLE_MS);
  await load({ port: serving.port, path: '/', connections: CONNECTIONS, seconds: LOAD_SECONDS }, scratch);
  await sleep(SETTLE_MS);
  const { mold } = await serving.untilWorkers(WORKERS);
  const before = await ask<WhyReport>('why', String(mold));
  const target = server.kind === 'cowherd' ? ['--runtime-dir', serving.runtimeDirectory] : [String(mold)];
  const healed = await ask<HealReport>('heal', ...target, '--yes');
  const after = await ask<WhyReport>('why', String(mold));
  await serving.kill();
  if (healed.processes.length !== WORKERS + 1 || healed.not_mergeable.length > 0) {
    throw new Error(
      `${serving.name}: of ${healed.processes.length} processes ${healed.not_mergeable.length} can't be merged`,
    );
  }
  const identical = identicalIn(before);
  const last = healed.samples.at(-1);
  const byComparison = (100 * (identical - identicalIn(after))) / identical;
  const byPss = (100 * healed.won) / identical;
  return {
    healPercent: Math.min(byComparison, byPss),
    byComparisonPercent: byComparison,
    byPssPercent: byPss,
    unsharedMib: mib(unsharedIn(before)),
    identicalMib: mib(identical),
    unsharedAfterMib: mib(unsharedIn(after)),
    identicalAfterMib: mib(identicalIn(after)),
    pssBeforeMib: mib(last?.pss_before ?? Number.NaN),
    pssAfterMib: mib(last?.pss ?? Number.NaN),
    wonMib: mib(healed.won),
    profitMib: mib(last?.profit ?? Number.NaN),
    seconds: healed.seconds,
    ksmdCpuSeconds: healed.ksmd_cpu_seconds ?? Number.NaN,
    settled: healed.end === 'settled' ? 1 : 0,
  };
}

const mib = (value: number): number => inMiB(bytes(value));

async function measure(bench: Bench): Promise<Outcome> {
  const problem = whyNoMerging();
  if (problem !== null) throw new Error(`Nothing can be merged here: KSM is ${problem.kind} (docs/heal.md)`);
  if (readKsmSettings()?.run !== 0) throw new Error('KSM is on already, and would heal what is to be measured');
  const servers = [cowherd('stock'), gunicornPreload];
  const rounds = new Map<string, Round[]>(servers.map((each) => [nameOf(each), []]));
  bench.say(`${WORKERS} workers, ${CONNECTIONS} connections, ${LOAD_SECONDS} s of load, ${ROUNDS} rounds`);
  for (const { round, arm } of turns(servers, ROUNDS)) {
    const result = await damageAndHeal(arm, bench);
    rounds.get(nameOf(arm))?.push(result);
    bench.say(
      `  round ${round + 1}  ${nameOf(arm).padEnd(18)}  ${result.wonMib.toFixed(0)} MiB won in ${result.seconds.toFixed(1)} s, ` +
        `${result.healPercent.toFixed(1)}% of ${result.identicalMib.toFixed(0)} MiB`,
    );
  }
  show(rounds, bench);
  const healPercent = [...rounds.values()].map((each) => median(each.map((round) => round.healPercent)));
  return { figures: { heal_percent: Math.min(...healPercent) }, arms: Object.fromEntries(rounds) };
}

function show(rounds: ReadonlyMap<string, Round[]>, { say }: Bench): void {
  const medians = [...rounds].map(([name, each]) => [name, medianOfEach(each)] as const);
  say('\nUnshared by all workers, MiB, before and after');
  say(
    table(
      ['', 'unshared', 'identical', 'unshared after', 'identical after', 'won back %'],
      medians.map(([name, each]) => [
        name,
        each.unsharedMib,
        each.identicalMib,
        each.unsharedAfterMib,
        each.identicalAfterMib,
        each.byComparisonPercent,
      ]),
    ),
  );
  say('\nThe herd, MiB, and what it cost');
  say(
    table(
      ['', 'PSS before', 'PSS after', 'won', 'of identical %', 'profit', 'seconds', 'ksmd CPU s'],
      medians.map(([name, each]) => [
        name,
        each.pssBeforeMib,
        each.pssAfterMib,
        each.wonMib,
        each.byPssPercent,
        each.profitMib,
        each.seconds,
        each.ksmdCpuSeconds,
      ]),
    ),
  );
}

await benchmark('heal', targets, measure);
