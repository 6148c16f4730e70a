/** The frame of each benchmark: a scratch folder, an end to every process, the figures and the file of results. */
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
  /** What each arm did, for who wants to look closer. Plain data. */
  readonly arms: Readonly<Record<string, unknown>>;
}

export interface Bench {
  /** For logs, sockets and databases; removed after a good end, and shown after a bad one. */
  readonly scratch: string;
  /** What the bundled application needs in its environment; its database is made at the first look. */
  readonly feedEnvironment: Readonly<Record<string, string>>;
  readonly say: (text: string) => void;
}

/** Part of all cores in use by others from which a run says so. */
const BUSY = 0.2;

/**
 * Runs a benchmark and ends with status 0 if all could be measured, whether or not the figures reach their values; one
 * that `mustReach` them is a test, and ends with 1 if one does not.
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
    say(
      `Other work takes ${(100 * machine.busyBefore).toFixed(0)}% of this machine: times will be longer than they are.`,
    );
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
  // Whatever still holds on: the exit handler ends it.
  process.exit(measured ? 0 : 1);
}

/** A fresh database for the bundled application, so that no older one decides what is measured. */
function prepareFeed(scratch: string): Record<string, string> {
  const environment = { FEED_DATABASE: path.join(scratch, 'feed.sqlite3') };
  execFileSync(PYTHON, ['manage.py', 'prepare'], {
    cwd: FEED,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return environment;
}
