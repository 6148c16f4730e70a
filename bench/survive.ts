/**
 * `make test-survive`: a herd under steady load, whose processes are killed and exchanged in a random order.
 *
 * One herd after another, of four workers each: sync workers, and threaded and ASGI ones, which keep connections. A process
 * of its own loads it, checks every answer to its last byte and counts every request (`survive/visitor-process.ts`):
 * small, slow, large and posted ones, on new and on kept connections. Meanwhile this process does the deeds, one after
 * the other, some kills in the middle of a reload or refork, and waits after each until the herd is whole again.
 *
 * - `lost`: requests without a whole answer, that were not in flight on a killed worker: refused, reset, cut short, or
 *   without an answer for 30 s.
 * - `wrong`: answers with another status than 200, or with other bytes than the request was to be answered with.
 * - `in_flight_on_killed`: requests without a whole answer whose connection a worker had accepted when it was killed. A
 *   worker is stopped right before the kill, and the kernel asked which connections it holds (`/proc/PID/fd`,
 *   `/proc/net/tcp`); the client tells by port which connection a request was on. So nothing has to be assumed.
 * - `leftovers`: processes, sockets, temporary files, zombies that no one knows of, in the herd at rest and after its end.
 * - `below_minimum_seconds`: how long fewer workers than wanted were ready (`survive/capacity.ts` says how it counts).
 * - Workers are recycled by `max_requests` all the time; `recycles` are those that the status has counted.
 * - `reloads`, `reforks`, `recycles`, `kills_worker`, `kills_mold`, `kills_supervisor`: what was done. A rollout that a
 *   kill in its middle has ended is done again; each reload must be seen in the answers.
 *
 * `retried` (in the results) are requests that the client sent a second time, as HTTP allows: a kept connection was
 * closed before any byte of the answer.
 *
 * Environment: SURVIVE=long for 100 reloads, 50 reforks, 200 recycles, and 100, 20 and 20 kills (about 20 minutes;
 * without it 6 each, 2 to 3 minutes); SURVIVE_RELOADS, SURVIVE_REFORKS, SURVIVE_RECYCLES, SURVIVE_KILLS_WORKER,
 * SURVIVE_KILLS_MOLD, SURVIVE_KILLS_SUPERVISOR for other counts; SURVIVE_SEED for the order of an earlier run.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../src/base/clock.ts';
import { type Bench, benchmark, type Outcome } from './lib/benchmark.ts';
import { atLeast, atMost } from './lib/figures.ts';
import { settingFrom } from './lib/settings.ts';
import { table } from './lib/table.ts';
import { type Capacity, capacityOf } from './survive/capacity.ts';
import { CapacityWatch } from './survive/capacity-watch.ts';
import {
  type Deed,
  DEED_KINDS,
  type DeedCounts,
  type DeedKind,
  planDeeds,
  randomFrom,
  shareOf,
} from './survive/deeds.ts';
import { Herd, type HerdKind } from './survive/herd.ts';
import { leftAfterEnd, leftInServingHerd } from './survive/leftovers.ts';
import { judgeFailures, killOf, type Verdicts } from './survive/verdicts.ts';
import { type VisitReport, Visits } from './survive/visits.ts';

/** Workers reach it after some ten seconds, so that they are recycled all the time, and never as soon as they start. */
const RECYCLING = ['--max-requests', '400', '--max-requests-jitter', '200'];
const HERDS: readonly HerdKind[] = [
  { workerClass: 'sync', arguments: RECYCLING },
  // Kept for longer than any visitor pauses: none of them is closed but by a worker that leaves.
  { workerClass: 'gthread', arguments: ['--threads', '3', '--keep-alive', '10', ...RECYCLING] },
  { workerClass: 'asgi', arguments: ['--keep-alive', '10', ...RECYCLING] },
];
const LONG: DeedCounts = {
  reload: 100,
  refork: 50,
  recycle: 200,
  kill_worker: 100,
  kill_mold: 20,
  kill_supervisor: 20,
};
const SHORT: DeedCounts = { reload: 6, refork: 6, recycle: 6, kill_worker: 6, kill_mold: 6, kill_supervisor: 6 };
const FIGURES: Readonly<Record<DeedKind, string>> = {
  reload: 'reloads',
  refork: 'reforks',
  recycle: 'recycles',
  kill_worker: 'kills_worker',
  kill_mold: 'kills_mold',
  kill_supervisor: 'kills_supervisor',
};
const VISITORS = { fresh: 6, keeping: 6, pauseMs: 60, timeoutMs: 30_000 };
const LONGEST_PAUSE_MS = 400;
const SUPERVISOR_AWAY_MS = 1500;
const SEEN_WITHIN_MS = 60_000;

const counts = Object.fromEntries(
  DEED_KINDS.map((kind) => {
    const usual = (process.env['SURVIVE'] === 'long' ? LONG : SHORT)[kind];
    const asked = settingFrom(process.env, `SURVIVE_${FIGURES[kind].toUpperCase()}`, usual, 0);
    return [kind, asked];
  }),
) as DeedCounts;
const seed = settingFrom(process.env, 'SURVIVE_SEED', Math.floor(Math.random() * 1e9), 0);

const targets = [
  atMost('lost', 0),
  atMost('wrong', 0),
  atMost('leftovers', 0),
  atMost('below_minimum_seconds', 0),
  ...DEED_KINDS.map((kind) => atLeast(FIGURES[kind], counts[kind])),
];

interface HerdResult {
  readonly workerClass: string;
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

/** Does what is planned to one herd. */
class Trial {
  readonly #herd: Herd;
  readonly #visits: Visits;
  readonly #watch: CapacityWatch;
  readonly #say: Bench['say'];
  readonly #random: () => number;
  readonly done = Object.fromEntries(DEED_KINDS.map((kind) => [kind, 0])) as Record<DeedKind, number>;
  readonly undoneByKills: string[] = [];
  uncountedReloads = 0;

  constructor(herd: Herd, visits: Visits, watch: CapacityWatch, say: Bench['say'], random: () => number) {
    this.#herd = herd;
    this.#visits = visits;
    this.#watch = watch;
    this.#say = say;
    this.#random = random;
  }

  async run(plan: readonly Deed[]): Promise<void> {
    const left = [...plan];
    for (let deed = left.shift(); deed !== undefined; deed = left.shift()) {
      const started = monotonicClock.now();
      const next = left[0];
      const into = next === undefined || next.intoPreviousMs === null ? null : next;
      if (into !== null) left.shift();
      const failure = await this.#together(deed, into);
      await this.#herd.settle();
      const seconds = ((monotonicClock.now() - started) / 1000).toFixed(1);
      const what = into === null ? deed.kind : `${deed.kind} with ${into.kind} in its middle`;
      this.#say(`  ${what.padEnd(40)} ${seconds} s${failure === null ? '' : `  ended by the kill: ${failure}`}`);
      if (failure !== null) {
        this.undoneByKills.push(`${deed.kind}: ${failure}`);
        left.push({ ...deed, intoPreviousMs: null });
      }
      await sleep(this.#random() * LONGEST_PAUSE_MS);
    }
  }

  /** The reason if the first deed did not come to its end because of the second. */
  async #together(deed: Deed, into: Deed | null): Promise<string | null> {
    if (into === null) {
      const failure = await this.#do(deed);
      if (failure !== null) throw new Error(`${deed.kind} failed: ${failure} (log: ${this.#herd.log})`);
      return null;
    }
    const [first] = await Promise.all([
      this.#do(deed),
      sleep(into.intoPreviousMs ?? 0).then(async () => await this.#do(into)),
    ]);
    return first;
  }

  /** Null when it is done; else why a rollout failed. */
  async #do({ kind, chance }: Deed): Promise<string | null> {
    const herd = this.#herd;
    switch (kind) {
      case 'reload': {
        herd.writeVersion();
        const { failure } = await herd.rollOut('reload');
        if (failure !== null) return failure;
        await this.#untilSeen(herd.version);
        break;
      }
      case 'refork': {
        await this.#makeReforkable();
        const { failure } = await herd.rollOut('refork');
        if (failure !== null) return failure;
        break;
      }
      case 'recycle':
        await this.#untilRecycled(this.done.recycle + 1);
        break;
      case 'kill_worker':
        while (!(await herd.killWorker(chance)));
        break;
      case 'kill_mold':
        await herd.killMolds();
        break;
      case 'kill_supervisor':
        await herd.killSupervisor(this.#random() * SUPERVISOR_AWAY_MS);
        break;
    }
    this.done[kind] += 1;
    return null;
  }

  /** Recycling goes on by itself all the time (`max_requests`); a deed is one more that has been seen. */
  async #untilRecycled(count: number): Promise<void> {
    const until = monotonicClock.now() + SEEN_WITHIN_MS;
    while (this.#watch.recycles < count) {
      if (monotonicClock.now() > until) throw new Error(`${this.#watch.recycles} workers recycled, and no more`);
      await sleep(20);
    }
  }

  /** After a mold's death all workers are of an older generation than the next mold, and none can become one. */
  async #makeReforkable(): Promise<void> {
    const { herd, workers } = await this.#herd.settle();
    if (workers.some((worker) => worker.generation === herd.generation)) return;
    const { failure } = await this.#herd.rollOut('reload');
    if (failure !== null) throw new Error(`a reload failed: ${failure}`);
    this.uncountedReloads += 1;
  }

  async #untilSeen(version: string): Promise<void> {
    const until = monotonicClock.now() + SEEN_WITHIN_MS;
    while (!this.#visits.hasSeen(version)) {
      if (monotonicClock.now() > until) throw new Error(`no answer from ${version} after its reload`);
      await sleep(20);
    }
  }
}

async function surviveWith(kind: HerdKind, plan: readonly Deed[], random: () => number, bench: Bench) {
  bench.say(`\n${kind.workerClass}: ${plan.length} deeds`);
  const started = monotonicClock.now();
  const herd = await Herd.start(kind, bench.scratch);
  const descriptors = [herd.descriptors(await herd.settleCompletely())];
  const visits = await Visits.start({ ...VISITORS, port: herd.port });
  const watch = new CapacityWatch(herd);
  const trial = new Trial(herd, visits, watch, bench.say, random);
  await trial.run(plan);
  await herd.settle();
  const samples = await watch.end();
  const visited = await visits.end();
  // Of now, not of before the visitors ended: workers were recycled meanwhile.
  const report = await herd.settleCompletely();
  descriptors.push(herd.descriptors(report));
  const leftovers = leftInServingHerd(herd, report);
  await herd.stop();
  leftovers.push(...(await leftAfterEnd(herd)));

  const retriedOnKilled = visited.retries.filter((retry) => killOf(retry, herd.workerKills) !== null).length;
  return {
    workerClass: kind.workerClass,
    seconds: (monotonicClock.now() - started) / 1000,
    done: { ...trial.done, recycle: watch.recycles },
    undoneByKills: trial.undoneByKills,
    uncountedReloads: trial.uncountedReloads,
    visits: visited,
    verdicts: judgeFailures(visited.failures, herd.workerKills),
    retried: visited.retries.length - retriedOnKilled,
    retriedOnKilled,
    capacity: capacityOf(
      samples,
      herd.workerKills.map((each) => ({ fromMs: each.stoppedAtMs, toMs: each.endedAtMs })),
    ),
    leftovers,
    descriptors,
  };
}

async function measure(bench: Bench): Promise<Outcome> {
  bench.say(`Seed ${seed} (SURVIVE_SEED=${seed} does the same again)`);
  const random = randomFrom(seed);
  const results: HerdResult[] = [];
  for (const [index, kind] of HERDS.entries()) {
    const plan = planDeeds(shareOf(counts, index, HERDS.length), random);
    results.push(await surviveWith(kind, plan, random, bench));
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
      ...Object.fromEntries(DEED_KINDS.map((kind) => [FIGURES[kind], sum((each) => each.done[kind])])),
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
        'on kept',
        'lost',
        'wrong',
        'on killed',
        'most of one',
        'retried',
        'p99 ms',
        'worst ms',
        'below minimum s',
        'slowest replacement s',
      ],
      results.map(({ workerClass, visits, verdicts, retried, capacity }) => [
        workerClass,
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
  for (const { workerClass, verdicts, visits, leftovers, capacity, descriptors } of results) {
    const [before, after] = descriptors;
    say(`${workerClass}: descriptors at first ${JSON.stringify(before)}, at last ${JSON.stringify(after)}`);
    for (const each of verdicts.lost.slice(0, 10)) say(`${workerClass}: lost ${JSON.stringify(each)}`);
    for (const each of visits.wrong.slice(0, 10)) say(`${workerClass}: wrong ${JSON.stringify(each)}`);
    for (const each of leftovers.slice(0, 10)) say(`${workerClass}: left over: ${each}`);
    for (const each of capacity.gaps.slice(0, 10)) say(`${workerClass}: below the minimum: ${JSON.stringify(each)}`);
  }
}

await benchmark('survive', targets, measure, { mustReach: true });
