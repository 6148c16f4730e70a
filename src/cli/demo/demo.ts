/**
 * `cowherd demo`: the bundled application under real load, with the herd shown live beside one of the same size with
 * heap policy `stock`.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CowherdError } from '../../base/errors.ts';
import { EXAMPLE, INSTALLATION, IS_CHECKOUT } from '../../base/installation.ts';
import { printableJson } from '../../base/printable.ts';
import { formatDuration, milliseconds } from '../../base/units.ts';
import { findInterpreter } from '../../cpython/discover.ts';
import { probe } from '../../cpython/interpreter.ts';
import { DemoHerd, prepareDatabase } from './demo-herd.ts';
import { startLoad } from './demo-load.ts';
import { pythonLines } from './demo-python.ts';
import { demoResult, formatDemo, type DemoResult } from './demo-view.ts';

export interface DemoOptions {
  python?: string;
  /** Workers in each of the two herds. */
  workers?: number;
  /** Seconds of load. By default until Ctrl-C on a terminal, and a short time otherwise. */
  seconds?: number;
  json?: boolean;
}

/** The demo's packages are in the checkout's own .venv, so an active environment is ignored. */
const IN_CHECKOUT = { cwd: INSTALLATION, env: { ...process.env, VIRTUAL_ENV: undefined } };
const DEFAULT_WORKERS = 4;

/** Without a terminal the whole demo must end within 40 s; stopping takes a second or two. */
const LONGEST_UNATTENDED_MS = 32_000;
const UNATTENDED_LOAD_SECONDS = 20;
const LOOK_EVERY_MS = 1000;
const LOADING_LOOK_MS = 100;
const LONGEST_START_MS = 120_000;
const CLEAR_LINE = '\r\u001B[K';
const CLEAR_BELOW = '\u001B[J';

/** @throws CowherdError NO_EXAMPLE, or the error that a server failed with */
export async function runDemo(options: DemoOptions): Promise<number> {
  const startedAt = performance.now();
  if (!existsSync(join(EXAMPLE, 'manage.py'))) throw new CowherdError('NO_EXAMPLE', { detail: EXAMPLE });
  const interpreter = await findInterpreter({
    python: options.python ?? null,
    ...(IS_CHECKOUT ? IN_CHECKOUT : { cwd: process.cwd(), env: process.env }),
  });
  const say = (text: string): void => {
    if (options.json !== true) process.stdout.write(`${text}\n`);
  };
  const folder = await mkdtemp(join(tmpdir(), 'cowherd-demo-'));
  const workers = options.workers ?? DEFAULT_WORKERS;
  const herds: DemoHerd[] = [];
  const interactive = process.stdout.isTTY && options.json !== true;
  const interrupted = waitForInterrupt();
  try {
    const about = await probe(interpreter.path);
    const lines =
      about === null ? [`Python: ${interpreter.path} (${interpreter.why})`] : pythonLines(about, interpreter.why);
    for (const line of lines) say(line);
    say(`The bundled Django application, ${workers} workers with heap policy auto beside`);
    say(`${workers} with stock (what gunicorn --preload does), under the same load.`);
    const database = join(folder, 'feed.sqlite3');
    await prepareDatabase(interpreter.path, EXAMPLE, database);
    for (const policy of ['auto', 'stock'] as const) {
      herds.push(new DemoHerd({ policy, workers, python: interpreter.path, example: EXAMPLE, folder, database }));
    }
    await untilServing(herds, interactive, interrupted);
    if (interrupted.happened) return 0;
    say(`${interactive ? CLEAR_LINE : ''}Both herds serve.\n`);
    const result = await drive(herds, options, interactive, startedAt, interrupted);
    if (options.json === true) process.stdout.write(`${printableJson(result, 2)}\n`);
    else process.stdout.write(`${interactive ? CLEAR_BELOW : ''}${formatDemo(result)}\n`);
    return 0;
  } finally {
    interrupted.remove();
    await Promise.all(herds.map((herd) => herd.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

interface Interrupt {
  readonly happened: boolean;
  readonly promise: Promise<void>;
  remove(): void;
}

/** The first Ctrl-C or SIGTERM ends the demo in order; a second one kills it. */
function waitForInterrupt(): Interrupt {
  let happened = false;
  let resolve = (): void => {};
  const promise = new Promise<void>((resolved) => {
    resolve = resolved;
  });
  const handler = (): void => {
    happened = true;
    remove();
    resolve();
  };
  const remove = (): void => {
    process.removeListener('SIGINT', handler);
    process.removeListener('SIGTERM', handler);
  };
  process.on('SIGINT', handler);
  process.on('SIGTERM', handler);
  return {
    get happened() {
      return happened;
    },
    promise,
    remove,
  };
}

/**
 * Waits until every worker of every herd is ready; on a terminal, with a line of progress.
 *
 * @throws CowherdError if a herd has ended, or does not serve in time
 */
async function untilServing(herds: DemoHerd[], interactive: boolean, interrupted: Interrupt): Promise<void> {
  const startedAt = performance.now();
  for (;;) {
    const phases = await Promise.all(herds.map((herd) => herd.look()));
    if (interrupted.happened || herds.every((herd) => herd.serving)) return;
    const tookMs = performance.now() - startedAt;
    const line = herds.map((herd, index) => `${herd.policy}: ${phases[index] ?? ''}`).join(', ');
    if (tookMs > LONGEST_START_MS) {
      throw new CowherdError('MOLD_DIED', {
        detail: `the herds are not serving after ${formatDuration(milliseconds(tookMs))} (${line})`,
      });
    }
    if (interactive) process.stdout.write(`${CLEAR_LINE}${formatDuration(milliseconds(tookMs))}: ${line}`);
    await Promise.race([sleep(LOADING_LOOK_MS), interrupted.promise]);
  }
}

async function drive(
  herds: DemoHerd[],
  options: DemoOptions,
  interactive: boolean,
  startedAt: number,
  interrupted: Interrupt,
): Promise<DemoResult> {
  const loads = herds.map((herd) => startLoad(herd.url));
  const endAt =
    interactive && options.seconds === undefined
      ? Number.POSITIVE_INFINITY
      : Math.min(
          performance.now() + (options.seconds ?? UNATTENDED_LOAD_SECONDS) * 1000,
          options.seconds === undefined ? startedAt + LONGEST_UNATTENDED_MS : Number.POSITIVE_INFINITY,
        );
  const look = async (): Promise<DemoResult> =>
    demoResult(
      await Promise.all(herds.map((herd) => herd.status())),
      loads.map((load) => load.figures()),
    );
  let drawnLines = 0;
  while (!interrupted.happened && performance.now() < endAt) {
    await Promise.race([sleep(Math.min(LOOK_EVERY_MS, Math.max(1, endAt - performance.now()))), interrupted.promise]);
    if (!interactive) continue;
    const text = formatDemo(await look());
    const up = drawnLines === 0 ? '' : `\u001B[${drawnLines}A\r`;
    process.stdout.write(`${up}${CLEAR_BELOW}${text}\nCtrl-C ends the demo.\n`);
    drawnLines = text.split('\n').length + 1;
  }
  const result = await look();
  for (const load of loads) load.stop();
  if (drawnLines > 0) process.stdout.write(`\u001B[${drawnLines}A\r`);
  return result;
}
