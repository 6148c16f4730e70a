/**
 * `make bench-doors`: what it takes to come in (install, start, ask) and to look out (metrics).
 *
 * - `install_to_answer_seconds`: from an empty virtual environment to the first answer of a hello-world application:
 *   `pip install` of the wheel and all it needs, from a folder, so that downloads don't count, and `cowherd serve`.
 * - `server_wheel_mib`, `agent_wheel_kib`: sizes.
 * - `help_ms`, `status_ms`: the installed command's `--help`, and its `status` of a running herd.
 * - `scrape_ms_64`: one scrape of a herd of 64 workers, from the request to the last byte; `scrape_core_percent`: the
 *   supervisor's CPU time for a scrape, at one in 15 s, in percent of a core.
 * - `rps_ratio_observed`: requests per second with metrics on and scraped once a second, divided by those with metrics
 *   off; the median over the pairs of turns.
 *
 * Environment: BENCH_ROUNDS (6 pairs of turns), BENCH_SECONDS (5 a turn), DOORS_ROUNDS (20 of the commands).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../src/base/clock.ts';
import { makePackages } from '../scripts/dist.ts';
import { type Bench, benchmark, type Outcome } from './lib/benchmark.ts';
import { cpuSeconds } from './lib/cpu.ts';
import { atLeast, atMost } from './lib/figures.ts';
import { freePort } from './lib/free-port.ts';
import { get } from './lib/http.ts';
import { load } from './lib/load.ts';
import { HELLO, PYTHON } from './lib/places.ts';
import { kill, startProcess } from './lib/processes.ts';
import { Serving } from './lib/serving.ts';
import { settingFrom } from './lib/settings.ts';
import { median } from './lib/statistics.ts';
import { table } from './lib/table.ts';
import { turns } from './lib/turns.ts';

const PAIRS = settingFrom(process.env, 'BENCH_ROUNDS', 6);
const TURN_SECONDS = settingFrom(process.env, 'BENCH_SECONDS', 5);
const COMMANDS = settingFrom(process.env, 'DOORS_ROUNDS', 20);
const SCRAPES = 40;
const SCRAPE_EVERY_SECONDS = 15;
const LARGE = 64;
const SMALL = 4;
const CONNECTIONS = 16;

const targets = [
  atMost('install_to_answer_seconds', 60),
  atMost('server_wheel_mib', 3),
  atMost('agent_wheel_kib', 512),
  atMost('help_ms', 60),
  atMost('status_ms', 150),
  atMost('scrape_ms_64', 20),
  atMost('scrape_core_percent', 0.1),
  atLeast('rps_ratio_observed', 0.99),
];

interface Installed {
  readonly command: string;
  readonly seconds: number;
  readonly serverWheelMib: number;
  readonly agentWheelKib: number;
}

/** Installs the wheel into a new environment, and asks a hello-world application that it serves. */
async function install({ scratch, say }: Bench): Promise<Installed> {
  const folder = path.join(scratch, 'packages');
  await makePackages(folder);
  const wheel = (name: string): string =>
    path.join(folder, readdirSync(folder).find((each) => each.startsWith(name) && each.endsWith('.whl')) ?? '');
  const wheels = path.join(scratch, 'wheels');
  say('Downloading what the wheel needs');
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'] };
  execFileSync(PYTHON, ['-m', 'pip', 'download', '--quiet', '--dest', wheels, wheel('cowherd_server')], quiet);
  const environment = path.join(scratch, 'environment');
  const startedMs = monotonicClock.now();
  execFileSync(PYTHON, ['-m', 'venv', environment], quiet);
  const pip = path.join(environment, 'bin', 'pip');
  execFileSync(pip, ['install', '--quiet', '--no-index', '--find-links', wheels, wheel('cowherd_server')], quiet);
  const command = path.join(environment, 'bin', 'cowherd');
  const port = await freePort();
  const run = path.join(scratch, 'run-of-install');
  const args = ['serve', 'hello', '--bind', `127.0.0.1:${port}`, '--workers', '2', '--runtime-dir', run];
  const { pid, child } = startProcess(command, args, { cwd: HELLO, log: path.join(scratch, 'install.log') });
  while ((await get(port, '/').catch(() => null)) === null) await sleep(5);
  const seconds = (monotonicClock.now() - startedMs) / 1000;
  const ended = once(child, 'exit');
  kill(pid, 'SIGTERM');
  await ended;
  return {
    command,
    seconds,
    serverWheelMib: statSync(wheel('cowherd_server')).size / 2 ** 20,
    agentWheelKib: statSync(wheel('cowherd_agent')).size / 1024,
  };
}

/** The median time of a command. It has to succeed. */
function timeOf(command: string, args: readonly string[]): number {
  const times = Array.from({ length: COMMANDS }, () => {
    const started = monotonicClock.now();
    const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stderr}`);
    return monotonicClock.now() - started;
  });
  return median(times);
}

interface Scraped {
  readonly ms: number;
  readonly corePercent: number;
}

async function scrapes({ scratch }: Bench, command: string): Promise<Scraped & { statusMs: number }> {
  const metricsPort = await freePort();
  const server = { kind: 'cowherd', policy: 'auto', metricsPort } as const;
  const serving = await Serving.start({ server, app: 'hello', workers: LARGE, scratch });
  await serving.untilWorkers(LARGE);
  const cpuBefore = cpuSeconds(serving.root);
  const times: number[] = [];
  for (let scrape = 0; scrape < SCRAPES; scrape += 1) {
    // Longer than the time for which an answer is kept.
    await sleep(300);
    const started = monotonicClock.now();
    await get(metricsPort, '/metrics');
    times.push(monotonicClock.now() - started);
  }
  const withScrapes = cpuSeconds(serving.root) - cpuBefore;
  const quietBefore = cpuSeconds(serving.root);
  await sleep(SCRAPES * 300);
  const without = cpuSeconds(serving.root) - quietBefore;
  const statusMs = timeOf(command, ['status', '--runtime-dir', path.join(serving.folder, 'run')]);
  await serving.stop();
  const secondsOfScrape = Math.max(0, withScrapes - without) / SCRAPES;
  return { ms: median(times), corePercent: (100 * secondsOfScrape) / SCRAPE_EVERY_SECONDS, statusMs };
}

/** Requests per second with metrics on, divided by those without; for each pair of turns. */
async function observedRatios({ scratch, feedEnvironment: environment }: Bench): Promise<number[]> {
  const metricsPort = await freePort();
  const arms = await Promise.all(
    [{ metricsPort }, {}].map(async (more) => {
      const server = { kind: 'cowherd', policy: 'auto', ...more } as const;
      const serving = await Serving.start({ server, app: 'feed', workers: SMALL, environment, scratch });
      await serving.untilWorkers(SMALL);
      return { serving, perSecond: [] as number[] };
    }),
  );
  const scraper = setInterval(() => void get(metricsPort, '/metrics').catch(() => null), 1000);
  for (const { arm } of turns(arms, PAIRS)) {
    const options = { port: arm.serving.port, path: '/', connections: CONNECTIONS, seconds: TURN_SECONDS };
    const done = await load(options, scratch);
    arm.perSecond.push(done.requestsPerSecond);
  }
  clearInterval(scraper);
  for (const { serving } of arms) await serving.stop();
  const [on, off] = arms;
  return (on?.perSecond ?? []).map((each, pair) => each / (off?.perSecond[pair] ?? Number.NaN));
}

async function measure(bench: Bench): Promise<Outcome> {
  mkdirSync(path.join(bench.scratch, 'wheels'), { recursive: true });
  const installed = await install(bench);
  const scraped = await scrapes(bench, installed.command);
  const ratios = await observedRatios(bench);
  const figures = {
    install_to_answer_seconds: installed.seconds,
    server_wheel_mib: installed.serverWheelMib,
    agent_wheel_kib: installed.agentWheelKib,
    help_ms: timeOf(installed.command, ['--help']),
    status_ms: scraped.statusMs,
    scrape_ms_64: scraped.ms,
    scrape_core_percent: scraped.corePercent,
    rps_ratio_observed: median(ratios),
  };
  bench.say(
    table(
      ['figure', 'measured'],
      Object.entries(figures).map(([name, value]) => [name, value.toFixed(3)]),
    ),
  );
  return { figures, arms: { installed, scraped, ratios } };
}

await benchmark('doors', targets, measure);
