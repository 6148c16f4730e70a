/**
 * `make bench-exit`: how long a server takes to stop, and how much memory the host must have for that.
 *
 * Eight workers with a heap of 250 MiB get a short load, which fills private caches and opens connections, and are then
 * left idle. `exit_seconds` is the time from SIGTERM to the end of the last process. `exit_extra_mib` is how far the
 * host's available memory (MemAvailable, read every 2 ms by another process) falls meanwhile below its value right
 * before. Every server stops gracefully: no request is in flight. Environment: BENCH_ROUNDS (3), BENCH_SECONDS (5, of
 * load).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, benchmark, type Outcome } from './lib/benchmark.ts';
import { atMost } from './lib/figures.ts';
import { watchHostMemory } from './lib/host-memory.ts';
import { load } from './lib/load.ts';
import { cowherd, gunicornPreload, nameOf, uwsgi } from './lib/servers.ts';
import { Serving } from './lib/serving.ts';
import { settingFrom } from './lib/settings.ts';
import { medianOfEach, range } from './lib/statistics.ts';
import { table } from './lib/table.ts';
import { turns } from './lib/turns.ts';
import { bytes, inMiB } from '../src/base/units.ts';

const WORKERS = 8;
const CONNECTIONS = 16;
const SETTLE_MS = 1000;
const ROUNDS = settingFrom(process.env, 'BENCH_ROUNDS', 3);
const LOAD_SECONDS = settingFrom(process.env, 'BENCH_SECONDS', 5);

const targets = [atMost('exit_seconds', 0.5), atMost('exit_extra_mib', 32)];

type Exit = Record<'seconds' | 'extraMib', number>;

async function measure({ scratch, feedEnvironment, say }: Bench): Promise<Outcome> {
  say(`Stopping ${WORKERS} idle workers after ${LOAD_SECONDS} s of load: medians of ${ROUNDS} rounds`);
  const servers = [gunicornPreload, uwsgi, cowherd('stock'), cowherd('auto')];
  const exits = new Map<string, Exit[]>(servers.map((each) => [nameOf(each), []]));
  for (const { arm } of turns(servers, ROUNDS)) {
    const environment = feedEnvironment;
    const serving = await Serving.start({ server: arm, app: 'feed', workers: WORKERS, environment, scratch });
    await load({ port: serving.port, path: '/', connections: CONNECTIONS, seconds: LOAD_SECONDS }, scratch);
    await sleep(SETTLE_MS);
    const { result: stoppedMs, watched } = await watchHostMemory(() => serving.stop());
    exits.get(nameOf(arm))?.push({
      seconds: stoppedMs / 1000,
      extraMib: inMiB(bytes(watched.startBytes - watched.leastBytes)),
    });
  }
  say(
    table(
      ['', 'seconds', 'least', 'most', 'extra MiB', 'least', 'most'],
      [...exits].map(([name, each]) => {
        const middle = medianOfEach(each);
        const seconds = range(each.map((one) => one.seconds));
        const extra = range(each.map((one) => one.extraMib));
        return [name, middle.seconds, seconds.least, seconds.most, middle.extraMib, extra.least, extra.most];
      }),
      2,
    ),
  );
  const auto = medianOfEach(exits.get(nameOf(cowherd('auto'))) ?? []);
  return {
    figures: { exit_seconds: auto.seconds, exit_extra_mib: auto.extraMib },
    arms: Object.fromEntries(exits),
  };
}

await benchmark('exit', targets, measure);
