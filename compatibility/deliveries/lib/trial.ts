/** Tries one case under one server, from the start of its sink to the count of deliveries. */
import { mkdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startedHere } from '../../../bench/lib/processes.ts';
import type { Case } from './cases.ts';
import type { ServerName } from './commands.ts';
import { readJobs, type Span, tallyJobs } from './jobs.ts';
import { printedIn, warningsIn } from '../../lib/server-log.ts';
import { NumberedLoad } from './numbered-load.ts';
import { folderOf } from './places.ts';
import { NOT_SERVED, type Trial } from './result.ts';
import { Serving } from './serving.ts';
import { Sink } from './sink.ts';
import { tally } from './tally.ts';

export interface Pace {
  /** Number of requests before the reload; all requests for a server that is not reloaded. */
  readonly first: number;
  /** Number of requests between reload and refork, and again after the refork. */
  readonly later: number;
  readonly perSecond: number;
  readonly atOnce: number;
}

/** A worker that takes longer hangs, and is not just slow. */
const ANSWERED_WITHIN_MS: Readonly<Record<ServerName, number>> = { cowherd: 60_000, gunicorn: 20_000 };
/** Limit for the first requests. A server whose workers hang, as some do under gunicorn, gets no more after that. */
const SENT_WITHIN_MS = 90_000;
/** Deliveries that are on their way when the last process ends arrive within this time. */
const ARRIVES_WITHIN_MS = 1000;
const SHOWN_LINES = 10;

export async function tryCase(tried: Case, server: ServerName, pace: Pace): Promise<Trial> {
  const folder = folderOf(tried.name, server);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const sink = await Sink.start(tried.sink, folder);
  try {
    const environment = { ...tried.environment(sink.port), ...sink.environment };
    const serving = await Serving.start(server, tried, folder, environment);
    return await serve(tried, server, pace, sink, serving);
  } catch (error) {
    return { ...NOT_SERVED, problems: [messageOf(error)] };
  } finally {
    await sink.stop();
  }
}

async function serve(tried: Case, server: ServerName, pace: Pace, sink: Sink, serving: Serving): Promise<Trial> {
  const from = nowSeconds();
  const { answerTo } = tried;
  const { perSecond, atOnce } = pace;
  const timeoutMs = ANSWERED_WITHIN_MS[server];
  const problems: string[] = [];
  const load = new NumberedLoad({ port: serving.port, perSecond, atOnce, timeoutMs, answerTo });
  if (!(await load.sendMore(pace.first, SENT_WITHIN_MS))) {
    problems.push(`fewer than ${pace.first} requests could be sent within ${SENT_WITHIN_MS / 1000} s`);
  }
  let reload: Span | null = null;
  let reloaded = false;
  let reforked = false;
  if (server === 'cowherd') {
    const begun = nowSeconds();
    reloaded = await succeeds('reload', problems, () => serving.rollOut('reload'));
    reload = { from: begun, to: nowSeconds() };
    await load.sendMore(pace.later);
    reforked = await succeeds('refork', problems, () => serving.rollOut('refork'));
    await load.sendMore(pace.later);
  }
  const { answered, failures } = await load.end();
  const to = nowSeconds();
  await succeeds('stop', problems, () => serving.stop());
  await sleep(ARRIVES_WITHIN_MS);
  const left = startedHere().filter(({ pid }) => pid !== sink.pid);
  if (left.length > 0) problems.push(`${left.length} processes are left behind`);

  const lines = sink.read();
  const failed = failures.map(({ number }) => number);
  const imports = tried.deliversAtImport ? 1 + Number(reloaded) : 0;
  return {
    requests: answered.length + failed.length,
    failed: failed.length,
    failures: failures.slice(0, SHOWN_LINES).map(({ number, what }) => `request ${number}: ${what}`),
    tally:
      tried.dueBy === 'requests'
        ? tally({ answered, failed, imports }, lines)
        : tallyJobs(readJobs(lines), { from, to }, reload),
    reloaded,
    reforked,
    warnings: warningsIn(serving.log),
    printed: printedIn(serving.log).slice(0, SHOWN_LINES),
    problems,
  };
}

/** Whether `deed` succeeded. If not, adds the reason to the problems. */
async function succeeds(what: string, problems: string[], deed: () => Promise<void>): Promise<boolean> {
  try {
    await deed();
    return true;
  } catch (error) {
    problems.push(`${what}: ${messageOf(error)}`);
    return false;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function nowSeconds(): number {
  return Date.now() / 1000;
}
