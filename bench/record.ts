/**
 * `make bench-record`: what `cowherd record` finds on a stock server, and what it costs there.
 *
 * gunicorn with `--preload` and the bundled application, eight sync workers that were just forked. In each round two
 * fresh servers get the same load, one after the other, the first one in turns: one is recorded from its first request
 * on, when the collector copies most of what is shared, and one is not.
 *
 * - `record_collector_percent`: of the faults recorded, those in the collector; the least of all rounds.
 * - `record_lost_percent`: of all faults, those of which no sample could be kept; the most of all rounds.
 * - `record_rps_ratio`: requests per second of the recorded server to those of the other one; the median of the rounds.
 *
 * It records with the better event that can be had here, which the table names. Environment: BENCH_ROUNDS (5),
 * BENCH_SECONDS (20, of load).
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../src/base/clock.ts';
import { bytes, inMiB } from '../src/base/units.ts';
import type { RecordReport } from '../src/faults/recording/report.ts';
import { type Bench, benchmark, type Outcome } from './lib/benchmark.ts';
import { atLeast, atMost } from './lib/figures.ts';
import { load } from './lib/load.ts';
import { CHECKOUT, COWHERD } from './lib/places.ts';
import { startProcess } from './lib/processes.ts';
import { gunicornPreload } from './lib/servers.ts';
import { Serving } from './lib/serving.ts';
import { settingFrom } from './lib/settings.ts';
import { median } from './lib/statistics.ts';
import { table } from './lib/table.ts';
import { turns } from './lib/turns.ts';

const WORKERS = 8;
const CONNECTIONS = 16;
const ROUNDS = settingFrom(process.env, 'BENCH_ROUNDS', 5);
const SECONDS = settingFrom(process.env, 'BENCH_SECONDS', 20);
const BEGINS_WITHIN_MS = 20_000;

const targets = [
  atLeast('record_collector_percent', 90),
  atMost('record_lost_percent', 1),
  atLeast('record_rps_ratio', 0.95),
];

/** A `cowherd record` that has begun. */
async function startRecording(serving: Serving, scratch: string): Promise<() => Promise<RecordReport>> {
  const log = path.join(scratch, `record-${serving.root}.json`);
  const args = ['record', String(serving.root), '--seconds', String(SECONDS), '--json'];
  const { child } = startProcess(process.execPath, [COWHERD, ...args], { cwd: CHECKOUT, log });
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', resolve);
  });
  const until = monotonicClock.now() + BEGINS_WITHIN_MS;
  while (!/^Recording /m.test(readFileSync(log, 'utf8'))) {
    if (child.exitCode !== null || monotonicClock.now() > until) throw new Error(readFileSync(log, 'utf8'));
    await sleep(20);
  }
  return async () => {
    const status = await ended;
    const text = readFileSync(log, 'utf8');
    if (status !== 0) throw new Error(text);
    return JSON.parse(text.slice(text.indexOf('{'))) as RecordReport;
  };
}

interface Turn {
  readonly requestsPerSecond: number;
  readonly report: RecordReport | null;
}

async function oneTurn(isRecorded: boolean, { scratch, feedEnvironment: environment }: Bench): Promise<Turn> {
  const serving = await Serving.start({ server: gunicornPreload, app: 'feed', workers: WORKERS, environment, scratch });
  const recording = isRecorded ? await startRecording(serving, scratch) : null;
  const { requestsPerSecond } = await load(
    { port: serving.port, path: '/', connections: CONNECTIONS, seconds: SECONDS },
    scratch,
  );
  const report = recording === null ? null : await recording();
  await serving.kill();
  return { requestsPerSecond, report };
}

async function measure(bench: Bench): Promise<Outcome> {
  bench.say(`Recording ${WORKERS} workers of gunicorn --preload under load: ${ROUNDS} rounds of ${SECONDS} s`);
  const turnsOf = { plain: [] as Turn[], recorded: [] as Turn[] };
  for (const { arm } of turns(['plain', 'recorded'] as const, ROUNDS)) {
    turnsOf[arm].push(await oneTurn(arm === 'recorded', bench));
  }
  const results = turnsOf.recorded.flatMap((recorded, round) => {
    const plain = turnsOf.plain[round];
    return plain === undefined || recorded.report === null ? [] : [compare(plain, recorded, recorded.report)];
  });
  bench.say(
    table(
      ['event', 'faults', 'copied MiB', 'collector %', 'lost %', 'requests/s', 'recorded', 'ratio'],
      results.map((each) => [
        each.event,
        each.faults,
        each.copiedMib,
        each.collectorPercent,
        each.lostPercent,
        each.plain,
        each.recorded,
        each.ratio,
      ]),
      2,
    ),
  );
  return {
    figures: {
      record_collector_percent: Math.min(...results.map((each) => each.collectorPercent)),
      record_lost_percent: Math.max(...results.map((each) => each.lostPercent)),
      record_rps_ratio: median(results.map((each) => each.ratio)),
    },
    arms: { rounds: results },
  };
}

function compare(plain: Turn, recorded: Turn, report: RecordReport) {
  return {
    event: report.instrument.name,
    faults: report.faults,
    copiedMib: inMiB(bytes(report.bytes)),
    collectorPercent: report.causes.collector.percent,
    lostPercent: report.lost_percent,
    plain: plain.requestsPerSecond,
    recorded: recorded.requestsPerSecond,
    ratio: recorded.requestsPerSecond / plain.requestsPerSecond,
    causes: report.causes,
    functions: report.functions.slice(0, 10),
  };
}

await benchmark('record', targets, measure);
