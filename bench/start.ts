/**
 * `make bench-start`: the time until the help is printed, and until a hello-world application answers.
 *
 * `first_answer_ms` is the time from running the command, as a shell does, to the first whole answer. A connection is
 * tried every 2 ms from the start. gunicorn (plain, as most people run it) is asked in the same way, with the same
 * eight sync workers, in turns with Cowherd. Environment: BENCH_ROUNDS (10).
 */
import { spawnSync } from 'node:child_process';
import { monotonicClock } from '../src/base/clock.ts';
import { type Bench, benchmark, type Outcome } from './lib/benchmark.ts';
import { atMost } from './lib/figures.ts';
import { COWHERD } from './lib/places.ts';
import { cowherd, gunicornPlain, gunicornPreload, nameOf } from './lib/servers.ts';
import { Serving } from './lib/serving.ts';
import { settingFrom } from './lib/settings.ts';
import { median, range } from './lib/statistics.ts';
import { table } from './lib/table.ts';
import { turns } from './lib/turns.ts';

const WORKERS = 8;
const ROUNDS = settingFrom(process.env, 'BENCH_ROUNDS', 10);

const targets = [atMost('help_ms', 150), atMost('first_answer_ms', 1000), atMost('first_answer_over_gunicorn_ms', 400)];

function help(): number {
  const started = monotonicClock.now();
  const { status, stdout } = spawnSync(COWHERD, ['--help'], { encoding: 'utf8' });
  const took = monotonicClock.now() - started;
  if (status !== 0 || !stdout.includes('serve')) throw new Error(`cowherd --help ended with ${status}: ${stdout}`);
  return took;
}

async function measure({ scratch, say }: Bench): Promise<Outcome> {
  say(`cowherd --help, and the first answer of ${WORKERS} workers: medians of ${ROUNDS} rounds, in milliseconds`);
  const servers = [cowherd('auto'), gunicornPlain, gunicornPreload];
  const times = new Map<string, number[]>(['cowherd --help', ...servers.map(nameOf)].map((name) => [name, []]));
  // One extra round, which doesn't count: it compiles bytecode and brings files into the page cache.
  for (const { round, arm } of turns([null, ...servers], ROUNDS + 1)) {
    const name = arm === null ? 'cowherd --help' : nameOf(arm);
    let took: number;
    if (arm === null) {
      took = help();
    } else {
      const serving = await Serving.launch({ server: arm, app: 'hello', workers: WORKERS, scratch });
      took = await serving.firstAnswer(2);
      await serving.untilWorkers(WORKERS);
      await serving.stop();
    }
    if (round > 0) times.get(name)?.push(took);
  }
  const of = (name: string): number => median(times.get(name) ?? []);
  say(
    table(
      ['', 'median ms', 'least', 'most'],
      [...times].map(([name, values]) => [name, median(values), range(values).least, range(values).most]),
    ),
  );
  return {
    figures: {
      help_ms: of('cowherd --help'),
      first_answer_ms: of('cowherd auto'),
      first_answer_over_gunicorn_ms: of('cowherd auto') - of('gunicorn'),
    },
    arms: Object.fromEntries(times),
  };
}

await benchmark('start', targets, measure);
