/**
 * `make test-deliveries`: applications whose libraries have threads, connections and queues when they are forked. Their
 * deliveries are counted where they arrive, under Cowherd with its default settings and under `gunicorn --preload`.
 *
 * Each case gets numbered requests at a steady pace. Cowherd gets 400, then a reload, 100 more, a refork and 100 more,
 * without a pause: requests continue during the reload and the refork, and count too. gunicorn gets 400. Then both are
 * stopped, and each number must have arrived once. Prints a line for each case and server; the last line is one JSON
 * object, Cowherd's sum:
 *
 * - `failed`: requests without the right answer.
 * - `sent`, `delivered`, `lost`, `doubled`: spans, transactions, jobs, calls … that were expected, that arrived, that
 *   didn't arrive, and that arrived unexpectedly.
 * - `warnings`: lines of the log at `warning` or above. A warning means that somebody has to act, which is not the case
 *   here.
 * - `reloads`, `reforks`: how many were completed, one per case. `problems`: what else went wrong.
 *
 * Exit status 1 if anything was lost, doubled, failed or warned of, or was not done.
 *
 * Environment: CASES="sentry loguru" runs only these; SERVERS=cowherd runs only that server. A run of all cases under
 * both servers writes its figures into docs/deliveries.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { requireInstalled } from '../../bench/lib/places.ts';
import { endStartedAtEnd } from '../../bench/lib/at-end.ts';
import { type Case, CASES } from './lib/cases.ts';
import { type ServerName, SERVERS } from './lib/commands.ts';
import { install } from './lib/environment.ts';
import { tableOf, withFigures } from './lib/page.ts';
import { CACHE, PAGE, RESULTS } from './lib/places.ts';
import { type CaseResult, isGood, sumOf, type Trial } from './lib/result.ts';
import { tryCase } from './lib/trial.ts';

/** A limited rate, since Sentry queues at most 100 events and drops the others. */
const PACE = { first: 400, later: 100, perSecond: 40, atOnce: 16 };

async function main(): Promise<number> {
  endStartedAtEnd();
  requireInstalled();
  const cases = chosen('CASES', CASES, ({ name }) => name);
  const servers = chosen('SERVERS', SERVERS, (server) => server);
  const versions = install();

  const results: CaseResult[] = [];
  for (const tried of cases) {
    const trials: Partial<Record<ServerName, Trial>> = {};
    for (const server of servers) {
      console.log(`== ${tried.title}: ${server}`);
      const trial = await tryCase(tried, server, PACE);
      trials[server] = trial;
      tell(tried, trial);
    }
    results.push({ name: tried.name, title: tried.title, counted: tried.counted, trials });
  }

  console.log(`\n${tableOf(results)}`);
  writeFileSync(RESULTS, `${JSON.stringify({ results, versions }, null, 2)}\n`);
  console.log(`Logs of servers and sinks: ${CACHE}/runs`);
  if (cases.length === CASES.length && servers.length === SERVERS.length) {
    writeFileSync(PAGE, withFigures(readFileSync(PAGE, 'utf8'), results, versions));
  }
  const sum = sumOf(results.flatMap(({ trials }) => trials.cowherd ?? []));
  console.log(JSON.stringify(sum));
  return isGood(sum) ? 0 : 1;
}

/** All items, or those named by the environment variable. */
function chosen<Item>(variable: string, all: readonly Item[], nameOf: (item: Item) => string): Item[] {
  const asked = (process.env[variable] ?? '').split(/[\s,]+/).filter((name) => name !== '');
  const names = all.map(nameOf);
  const unknown = asked.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`${variable}: no ${unknown.join(', ')}; there are ${names.join(' ')}`);
  return asked.length === 0 ? [...all] : all.filter((item) => asked.includes(nameOf(item)));
}

function tell({ counted }: Case, { requests, failed, failures, tally, warnings, printed, problems }: Trial): void {
  const { sent, delivered, lost, doubled } = tally;
  console.log(
    `  ${requests} requests, ${failed} failed; ${delivered} of ${sent} ${counted}, ${lost} lost, ${doubled} doubled`,
  );
  for (const problem of problems) console.log(`  problem: ${problem}`);
  for (const failure of failures) console.log(`  ${failure}`);
  for (const { level, text, times } of warnings) console.log(`  ${level}, ${times} times: ${text}`);
  for (const line of printed) console.log(`  printed: ${line}`);
}

// The exit handler ends anything that is still running.
process.exit(await main());
