/**
 * The trial of one application: gunicorn twice and Cowherd once, each from the same filled site and visited in the same
 * way; then Cowherd under steady load is told to reload, refork and stop.
 */
import { readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kill, startedHere, startedSince } from '../../../bench/lib/processes.ts';
import { monotonicClock } from '../../../src/base/clock.ts';
import type { Application } from './description.ts';
import { compareAll, type ComparedAnswer } from './comparing.ts';
import { type Crawl, crawl } from './crawling.ts';
import type { Exchange } from './exchange.ts';
import { countLoad, type LoadCount, type PhaseSpan } from './load-verdicts.ts';
import { warningsIn } from '../../lib/server-log.ts';
import { logsOf } from './places.ts';
import type { Traced, Trial } from './result.ts';
import type { ServerKind } from './servers.ts';
import { Serving, type Told } from './serving.ts';
import type { PreparedSite } from './site.ts';
import { type LoadTarget, SteadyLoad } from './steady-load.ts';
import { exchangeWith, Visitor } from './visitor.ts';

type Say = (text: string) => void;

const STEADY_MS = 4000;
const AFTER_STOP_MS = 1500;
const ANSWERED_WITHIN_MS = 120_000;
const MOST_TARGETS = 40;
/** Slower answers would be most of what the load is made of. */
const QUICK_MS = 1500;

export async function tryApplication(application: Application, prepared: PreparedSite, say: Say): Promise<Trial> {
  const first = await visitUnderGunicorn(application, prepared, null, 'gunicorn', say);
  const again = await visitUnderGunicorn(application, prepared, first.crawled, 'gunicorn-again', say);
  const atRest = startedHere();

  await prepared.putBack();
  const serving = await start('cowherd', application, prepared, 'cowherd', say);
  try {
    const visitor = newVisitor(application, prepared);
    await visit(application, prepared, visitor, first.crawled);
    const cowherdMib = serving.pssMib();
    const { rolled, answered } = await underLoad(application, prepared, serving, visitor, first.crawled, say);
    const compared = compareAll(
      first.visitor.exchanges,
      again.visitor.exchanges,
      visitor.exchanges,
      application.inAnyOrder,
    );
    keepDifferent(application.name, compared, [first.visitor, again.visitor, visitor]);
    const different = compared.filter(({ verdict }) => verdict.kind === 'different').length;
    say(`  ${compared.length} answers compared, ${different} different`);
    const traced = tracedOf(prepared, answered + visitor.exchanges.length + serving.readyAnswers);
    await prepared.endServices();
    const leftOver = startedSince(atRest);
    if (leftOver.length > 0)
      throw new Error(`left over after the stop: ${leftOver.map(({ pid }) => commandLine(pid)).join('; ')}`);
    return {
      answers: answersOf(compared, first.visitor.exchanges),
      leftOut: first.crawled.leftOut,
      ...rolled,
      traced: first.traced === null || traced === null ? null : { gunicorn: first.traced, cowherd: traced },
      warnings: warningsIn(readFileSync(serving.log, 'utf8')),
      memory: { gunicorn: first.pssMib, cowherd: cowherdMib, afterRefork: rolled.afterReforkMib },
    };
  } finally {
    for (const { pid } of startedSince(atRest)) kill(pid, 'SIGKILL');
    await prepared.endServices();
  }
}

interface Visited {
  readonly visitor: Visitor;
  readonly crawled: Crawl;
  readonly pssMib: number;
  readonly traced: Traced | null;
}

async function visitUnderGunicorn(
  application: Application,
  prepared: PreparedSite,
  crawled: Crawl | null,
  name: string,
  say: Say,
): Promise<Visited> {
  await prepared.putBack();
  const before = startedHere();
  try {
    const serving = await start('gunicorn', application, prepared, name, say);
    const visitor = newVisitor(application, prepared);
    const found = await visit(application, prepared, visitor, crawled);
    const pssMib = serving.pssMib();
    const { asked } = await anotherVisit(application, prepared, serving, found);
    await lookAgain(application, prepared, visitor, found);
    await serving.end();
    const traced = tracedOf(prepared, asked + visitor.exchanges.length + serving.readyAnswers);
    return { visitor, crawled: found, pssMib, traced };
  } finally {
    for (const { pid } of startedSince(before)) kill(pid, 'SIGKILL');
    await prepared.endServices();
  }
}

/** Read when the server has ended: at its end it sends what it has kept back. */
function tracedOf({ spans }: PreparedSite, requests: number): Traced | null {
  return spans === null ? null : { requests, spans };
}

async function start(
  kind: ServerKind,
  application: Application,
  { site }: PreparedSite,
  name: string,
  say: Say,
): Promise<Serving> {
  const startedAtMs = monotonicClock.now();
  const serving = await Serving.start(kind, application, site, name);
  say(`  ${name} serves after ${secondsSince(startedAtMs)} s`);
  return serving;
}

const secondsSince = (startedAtMs: number): string => ((monotonicClock.now() - startedAtMs) / 1000).toFixed(1);

const newVisitor = (application: Application, { site }: PreparedSite): Visitor =>
  new Visitor(site.port, application.requestHeaders);

/** Logs in, crawls (or goes the way of an earlier crawl), and acts. */
async function visit(
  application: Application,
  { site }: PreparedSite,
  visitor: Visitor,
  earlier: Crawl | null,
): Promise<Crawl> {
  await application.logIn?.(visitor, site);
  const crawled = earlier ?? (await crawl(application, visitor));
  if (earlier !== null) for (const each of earlier.paths) await visitor.get(each);
  await application.act(visitor, site);
  return crawled;
}

/** What has been looked at is looked at again: when it has been changed, and on Cowherd by what a refork has made. */
async function lookAgain(
  application: Application,
  { site }: PreparedSite,
  visitor: Visitor,
  crawled: Crawl,
): Promise<void> {
  for (const each of crawled.paths) await visitor.get(each);
  await application.actAgain?.(visitor, site);
}

interface Rolled {
  readonly load: LoadCount;
  readonly reload: Told;
  readonly refork: Told;
  readonly stop: Told;
  readonly afterReforkMib: number | null;
}

interface AnotherVisit {
  /** What is quick enough to be asked for under load, and what to send with it. */
  readonly targets: readonly LoadTarget[];
  readonly headers: Readonly<Record<string, string>>;
  readonly asked: number;
}

/**
 * Another visit of the same user, whom the load plays: what one of the two is told once, the other is not told. Also under
 * gunicorn, where there is no load, since an application may count logins.
 */
async function anotherVisit(
  application: Application,
  prepared: PreparedSite,
  serving: Serving,
  crawled: Crawl,
): Promise<AnotherVisit> {
  const loading = newVisitor(application, prepared);
  await application.logIn?.(loading, prepared.site);
  const cookie = loading.cookies.header();
  const headers = { accept: '*/*', ...loading.headers, ...(cookie === null ? {} : { cookie }) };
  const targets: LoadTarget[] = [];
  let asked = loading.exchanges.length;
  for (const each of crawled.paths) {
    if (targets.length === MOST_TARGETS) break;
    if (application.notUnderLoad?.test(each) === true) continue;
    // As it is answered now: what the visitor has done may have changed that.
    const sending = { method: 'GET', path: each, headers, content: null, timeoutMs: ANSWERED_WITHIN_MS };
    const { status, milliseconds } = await exchangeWith(serving.port, sending);
    asked += 1;
    if (status < 400 && milliseconds < QUICK_MS) targets.push({ path: each, expectedStatus: status });
  }
  if (targets.length === 0) throw new Error('no address is quick enough to be asked for under load');
  return { targets, headers, asked };
}

async function underLoad(
  application: Application,
  prepared: PreparedSite,
  serving: Serving,
  visitor: Visitor,
  crawled: Crawl,
  say: Say,
): Promise<{ readonly rolled: Rolled; readonly answered: number }> {
  const { targets, headers, asked } = await anotherVisit(application, prepared, serving, crawled);
  const spans: PhaseSpan[] = [{ phase: 'steady', fromMs: monotonicClock.now() }];
  const load = new SteadyLoad({ port: serving.port, targets, headers, perSecond: application.loadPerSecond });
  await sleep(STEADY_MS);
  const tell = async (command: 'reload' | 'refork' | 'stop'): Promise<Told> => {
    spans.push({ phase: command, fromMs: monotonicClock.now() });
    const told = await serving.tell(command);
    say(`  ${command} ${told.ok ? 'done' : `failed: ${told.failure}`} after ${told.seconds.toFixed(1)} s`);
    if (command !== 'stop') spans.push({ phase: 'steady', fromMs: monotonicClock.now() });
    return told;
  };
  const reload = await tell('reload');
  await sleep(STEADY_MS);
  const refork = await tell('refork');
  await sleep(STEADY_MS);
  const afterReforkMib = refork.ok ? serving.pssMib() : null;
  await lookAgain(application, prepared, visitor, crawled);
  const stop = await tell('stop');
  await sleep(AFTER_STOP_MS);
  const requests = await load.end();
  const counted = countLoad(requests, spans);
  if (!serving.hasEnded()) await serving.end();
  say(
    `  ${counted.sent} requests under load: ${counted.good} good, ${counted.refusedAfterStop} refused after the stop, ${counted.lost.length} lost`,
  );
  return {
    rolled: { load: counted, reload, refork, stop, afterReforkMib },
    answered: asked + requests.filter(({ status }) => status !== null).length,
  };
}

function answersOf(compared: readonly ComparedAnswer[], exchanges: readonly Exchange[]): Trial['answers'] {
  const of = (kind: ComparedAnswer['verdict']['kind']) => compared.filter(({ verdict }) => verdict.kind === kind);
  const places = (each: ComparedAnswer) => ({
    request: each.request,
    where: 'where' in each.verdict ? each.verdict.where : [],
  });
  const statuses: Record<string, number> = {};
  for (const { status } of exchanges) statuses[status] = (statuses[status] ?? 0) + 1;
  const gets = exchanges.filter(({ method }) => method === 'GET').length;
  return {
    identical: of('identical').length,
    masked: of('masked').length,
    unsteady: of('unsteady').map(places),
    different: of('different').map(places),
    gets,
    posts: exchanges.length - gets,
    statuses,
  };
}

/** The whole answers where something differs, beside the logs, for who wants to know why. */
function keepDifferent(name: string, compared: readonly ComparedAnswer[], visitors: readonly Visitor[]): void {
  const folder = path.join(logsOf(name), 'different');
  rmSync(folder, { recursive: true, force: true });
  for (const [index, { verdict }] of compared.entries()) {
    if (verdict.kind !== 'different' && verdict.kind !== 'unsteady') continue;
    mkdirSync(folder, { recursive: true });
    for (const [which, visitor] of visitors.entries()) {
      const exchange = visitor.exchanges[index];
      if (exchange === undefined) continue;
      const head = [
        `${exchange.method} ${exchange.path}`,
        exchange.status,
        ...exchange.headers.map((each) => each.join(': ')),
      ].join('\n');
      const file = path.join(folder, `${index}-${verdict.kind}-${['gunicorn', 'gunicorn-again', 'cowherd'][which]}`);
      writeFileSync(file, Buffer.concat([Buffer.from(`${head}\n\n`), exchange.body]));
    }
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim().slice(0, 120);
  } catch {
    return String(pid);
  }
}
