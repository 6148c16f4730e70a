/** The frame of each benchmark: a scratch folder, the end of every process, the figures and the file of results. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { endStartedAtEnd } from './at-end.ts';
import { type Figures, judge, type Target } from './figures.ts';
import { describeCommit, describeMachine } from './machine.ts';
import { FEED, PYTHON, requireInstalled, RESULTS } from './places.ts';
import { figureTable } from './table.ts';

export interface Outcome {
  readonly figures: Figures;
  /** Details of each arm, for readers of the results. Plain data. */
  readonly arms: Readonly<Record<string, unknown>>;
}

export interface Bench {
  /** For logs, sockets and databases. Removed after a success; its path is printed after a failure. */
  readonly scratch: string;
  /** Environment of the bundled application; its database is made at the first access. */
  readonly feedEnvironment: Readonly<Record<string, string>>;
  readonly say: (text: string) => void;
}

/** Other work that takes at least this part of all cores is reported. */
const BUSY = 0.2;

/**
 * Runs a benchmark. The exit status is 0 if everything could be measured, even if a figure misses its target. A
 * benchmark with `mustReach` is a test: its exit status is 1 if a figure misses its target.
 */
export async function benchmark(
  name: string,
  targets: readonly Target[],
  measure: (bench: Bench) => Promise<Outcome>,
  { mustReach = false }: { readonly mustReach?: boolean } = {},
): Promise<void> {
  requireInstalled();
  const scratch = mkdtempSync(path.join(tmpdir(), 'cowherd-bench-'));
  let measured = false;
  endStartedAtEnd(() => {
    if (measured) rmSync(scratch, { recursive: true, force: true });
    else console.error(`Logs of the servers: ${scratch}`);
  });

  const machine = await describeMachine();
  const commit = describeCommit();
  const say = (text: string): void => console.log(text);
  if (machine.busyBefore > BUSY) {
    say(`Other work takes ${(100 * machine.busyBefore).toFixed(0)}% of this machine: measured times will be too long.`);
  }
  let feedEnvironment: Record<string, string> | undefined;
  const { figures, arms } = await measure({
    scratch,
    get feedEnvironment() {
      return (feedEnvironment ??= prepareFeed(scratch));
    },
    say,
  });
  const verdicts = judge(figures, targets);
  const reached = verdicts.every((verdict) => verdict.reached);
  measured = reached || !mustReach;

  mkdirSync(RESULTS, { recursive: true });
  const result = { figures, arms, machine, commit };
  writeFileSync(path.join(RESULTS, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
  say(`\n${figureTable(verdicts)}`);
  say(`Written to bench/results/${name}.json`);
  say(JSON.stringify(figures));
  // The exit handler ends anything that is still running.
  process.exit(measured ? 0 : 1);
}

/** Makes a fresh database for the bundled application, so that no older one affects the measurement. */
function prepareFeed(scratch: string): Record<string, string> {
  const environment = { FEED_DATABASE: path.join(scratch, 'feed.sqlite3') };
  execFileSync(PYTHON, ['manage.py', 'prepare'], {
    cwd: FEED,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return environment;
}
