/** Looks at a family of processes: takes a census, divides the workers among threads and reports what was found. */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { monotonicClock } from '../../base/clock.ts';
import { CowherdError } from '../../base/errors.ts';
import { isAlive } from '../../procfs/alive.ts';
import { kernelUnits } from '../../procfs/auxv.ts';
import { readStat } from '../../procfs/stat.ts';
import { medianOf } from '../compare/median.ts';
import { unsharedPages, workOf, type WorkerComparison } from '../compare/comparison.ts';
import { type CensusOutcome, tryCensus } from '../census/take-census.ts';
import { knownCensus } from '../compare/coming-census.ts';
import { CensusInThread } from './census-in-thread.ts';
import { CENSUS_MS_A_BYTE } from './resting.ts';
import {
  lookAtShare,
  openIfThere,
  OPENING_MS,
  openReference,
  type OpenReference,
  type Share,
  type ShareResult,
} from './look-share.ts';
import type { ThreadAnswer } from './look-thread.ts';
import { openSubject, withEntriesKept } from './open-subject.ts';
import { Rests } from './resting.ts';
import { type WhyReport, whyReport } from '../answer/report.ts';

export interface Family {
  readonly reference: number;
  readonly workers: readonly number[];
  /** The reference is another worker. */
  readonly isSibling: boolean;
  readonly policy: string | null;
  readonly collectorCalledBy: string | null;
  /** The family is a herd whose mold has played warm-up requests. */
  readonly isWarmedUp: boolean;
}

export interface LookOptions {
  /** Workers whose owners are looked up: all, or the median one. The look-up is much of the work. */
  readonly ownersOf: 'all' | 'median';
  /** Take the reference's census, which says what each module holds. */
  readonly withCensus: boolean;
  /** Called with the estimated part of the census that is done, from 0 to 1; 1 at its end. */
  readonly onCensus?: ((part: number) => void) | undefined;
  /** Called with the number of memory windows done and their total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface Look {
  readonly report: WhyReport;
  readonly comparisons: readonly WorkerComparison[];
}

/** For fewer workers a thread costs more than it saves: each reads the reference again and takes some 30 MiB. */
const WORKERS_A_THREAD = 4;
const MOST_THREADS = 4;

/** @throws CowherdError PROCESS_NOT_FOUND, PROCESS_NOT_READABLE, PROCESS_ENDED */
export async function look(family: Family, options: LookOptions): Promise<Look> {
  const startedMs = monotonicClock.now();
  const takenAt = new Date();
  const pageBytes = kernelUnits().pageSize;
  const name = readStat(family.reference)?.name ?? '';
  const { main, results, census } = await lookAtAll(family, options, { startedMs, pageBytes });
  // The remaining memory of a process that is ending proves nothing.
  if (!isAlive(family.reference)) throw new CowherdError('PROCESS_ENDED', { detail: processes([family.reference]) });
  const comparisons = inOrder(family.workers, results).filter(({ pid }) => isAlive(pid));
  if (comparisons.length === 0) throw new CowherdError('PROCESS_ENDED', { detail: processes(family.workers) });
  const { found, problem } = main;
  const report = whyReport({
    takenAt,
    seconds: (monotonicClock.now() - startedMs) / 1000,
    pageBytes,
    reference: {
      pid: family.reference,
      name,
      interpreter: interpreterName(found),
      problem,
      is_sibling: family.isSibling,
      policy: family.policy,
      has_census: census.there,
      census_problem: census.problem,
      left_out: Math.max(...results.map(({ leftOut }) => leftOut)),
    },
    minor: problem === null && found !== null ? found.minor : null,
    collectorCalledBy: family.collectorCalledBy,
    isWarmedUp: family.isWarmedUp,
    workers: family.workers.length,
    comparisons,
  });
  return { report, comparisons };
}

interface Begin {
  /** By the monotonic clock. */
  readonly startedMs: number;
  readonly pageBytes: number;
}

interface LookedAt {
  /** The result of this thread. */
  readonly main: ShareResult;
  readonly results: readonly ShareResult[];
  readonly census: { readonly there: boolean; readonly problem: string | null };
}

const NO_CENSUS = { census: null, problem: null } as const;

/**
 * Threads whose workers' owners are not looked up need no census, and begin at once. The census is taken in a thread of
 * its own, while this one looks at a share that needs it. If other threads need it too, or there is one core, this
 * thread takes the census first.
 */
async function lookAtAll(family: Family, options: LookOptions, { startedMs, pageBytes }: Begin): Promise<LookedAt> {
  const { reference } = family;
  const shares = sharesOf(family.workers, IS_BUILT ? availableParallelism() : 1);
  const ownersOf: Share['ownersOf'] =
    options.ownersOf === 'all' ? family.workers : shares.length === 1 ? 'median' : workerInTheMiddle(family, pageBytes);
  const needsCensus = (workers: readonly number[]): boolean =>
    ownersOf === 'median' || workers.some((each) => ownersOf.includes(each));
  const own = shares.find(needsCensus) ?? shares[0] ?? [];
  const others = shares.filter((each) => each !== own);
  const share = { reference, ownersOf, pageBytes };
  const early = others.filter((workers) => !needsCensus(workers));
  const threads = early.map((workers) => inThread({ ...share, workers, census: null }));
  const isAlone = !IS_BUILT || availableParallelism() === 1 || early.length < others.length;
  const coming =
    options.withCensus && !isAlone
      ? new CensusInThread({ pid: reference, pageBytes, startedMs }, options.onCensus)
      : null;
  const rests = new Rests(monotonicClock, OPENING_MS + workOf(own.length), undefined, startedMs);
  const opened = openReference(reference, pageBytes, () => rests.rest());
  const begun = { reference: opened, startedMs };
  const mainShare = { ...share, workers: own, census: null };
  if (coming !== null) {
    coming.begin(opened.problem === null ? (opened.found?.minor ?? null) : null);
    const main = lookAtShare(mainShare, coming, options.onProgress, begun);
    const census = { there: coming.wait() !== null, problem: coming.problem };
    return { main, results: [main, ...(await Promise.all(threads))], census };
  }
  const { census, problem } = options.withCensus
    ? censusOf(opened, pageBytes, rests, workOf(own.length), options.onCensus)
    : NO_CENSUS;
  const tables = census?.tables ?? null;
  for (const workers of others) {
    if (needsCensus(workers)) threads.push(inThread({ ...share, workers, census: tables }));
  }
  const main = lookAtShare(mainShare, knownCensus(census), options.onProgress, begun);
  const results = [main, ...(await Promise.all(threads))];
  return { main, results, census: { there: census !== null, problem } };
}

/** No census, and no problem, if the objects can't be told apart at all: the report has said so. */
function censusOf(
  { reference, found, problem }: OpenReference,
  pageBytes: number,
  rests: Rests,
  laterMs: number,
  onCensus: LookOptions['onCensus'],
): CensusOutcome | typeof NO_CENSUS {
  if (found === null || problem !== null) return NO_CENSUS;
  const onProgress = (part: number, bytes: number): void => {
    rests.rest(laterMs + (1 - part) * bytes * CENSUS_MS_A_BYTE);
    onCensus?.(part);
  };
  const outcome = tryCensus(reference, { minor: found.minor, pageBytes, onProgress });
  onCensus?.(1);
  return outcome;
}

/** Divides workers into one share per thread, equal in length give or take one; pure. */
export function sharesOf(workers: readonly number[], cores: number): number[][] {
  const count = Math.max(1, Math.min(cores, MOST_THREADS, Math.floor(workers.length / WORKERS_A_THREAD)));
  return Array.from({ length: count }, (_, share) => workers.filter((_, index) => index % count === share));
}

/** The median worker by unshared pages, counted from page tables alone; empty if all workers have ended. */
function workerInTheMiddle({ reference, workers }: Family, pageBytes: number): number[] {
  const parent = withEntriesKept(openSubject(reference, pageBytes), pageBytes);
  try {
    const counted = workers.flatMap((pid) =>
      openIfThere(pid, (each) => openSubject(each, pageBytes)).map((subject) => {
        const pages = unsharedPages(parent, subject);
        subject.close();
        return { pid, pages };
      }),
    );
    const middle = medianOf(counted, ({ pages }) => pages);
    return middle === undefined ? [] : [middle.pid];
  } finally {
    parent.close();
  }
}

/** Threads are used only in a build: sources need a loader, which threads of Node 20 do not get. */
const IS_BUILT = import.meta.url.endsWith('.js');
const THREAD = new URL('./look-thread.js', import.meta.url);

/** Runs in a thread. A rejection counts as handled while this thread is busy. */
function inThread(share: Share): Promise<ShareResult> {
  const result = resultOfThread(share);
  result.catch(() => {});
  return result;
}

async function resultOfThread(workerData: Share): Promise<ShareResult> {
  const thread = new Worker(THREAD, { workerData });
  const [{ result, error }] = (await once(thread, 'message')) as [ThreadAnswer];
  if (error !== null) throw CowherdError.named(error.code, error.detail);
  return result;
}

function inOrder(pids: readonly number[], results: readonly ShareResult[]): WorkerComparison[] {
  const all = results.flatMap(({ comparisons }) => comparisons);
  return pids.flatMap((pid) => all.find((each) => each.pid === pid) ?? []);
}

function interpreterName(found: ShareResult['found']): string | null {
  if (found === null) return null;
  const name = found.implementation === 'pypy' ? 'PyPy, Python' : 'CPython';
  return `${found.freeThreaded ? 'free-threaded ' : ''}${name} ${found.version}`;
}

function processes(pids: readonly number[]): string {
  return `${pids.length === 1 ? 'process' : 'processes'} ${pids.join(', ')}`;
}
