/** Looks at a family of processes: divides the workers among threads and reports what was found. */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { monotonicClock } from '../../base/clock.ts';
import { CowherdError } from '../../base/errors.ts';
import { isAlive } from '../../procfs/alive.ts';
import { kernelUnits } from '../../procfs/auxv.ts';
import { readStat } from '../../procfs/stat.ts';
import { medianOf } from '../compare/median.ts';
import { unsharedPages, type WorkerComparison } from '../compare/comparison.ts';
import { lookAtShare, openIfThere, type Share, type ShareResult } from './look-share.ts';
import type { ThreadAnswer } from './look-thread.ts';
import { openSubject, withEntriesKept } from './open-subject.ts';
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
  /** The file of the reference's census, which says what each module holds; null if it has none. */
  readonly census: string | null;
  /** Why there is no census, if one was asked for. */
  readonly censusProblem: string | null;
}

export interface LookOptions {
  /** Workers whose owners are looked up: all, or the median one. The look-up is much of the work. */
  readonly ownersOf: 'all' | 'median';
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
export async function look(family: Family, { ownersOf, onProgress }: LookOptions): Promise<Look> {
  const startedMs = monotonicClock.now();
  const takenAt = new Date();
  const pageBytes = kernelUnits().pageSize;
  const name = readStat(family.reference)?.name ?? '';
  const [own = [], ...others] = sharesOf(family.workers, IS_BUILT ? availableParallelism() : 1);
  const asked =
    ownersOf === 'all' ? family.workers : others.length === 0 ? 'median' : workerInTheMiddle(family, pageBytes);
  const share = (workers: readonly number[]): Share => ({
    reference: family.reference,
    workers,
    ownersOf: asked,
    pageBytes,
    census: family.census,
  });
  const threads = others.map(async (workers) => await inThread(share(workers)));
  // Keeps a rejection from being reported as unhandled while this thread is busy.
  for (const thread of threads) thread.catch(() => {});
  const results = [await lookAtShare(share(own), onProgress), ...(await Promise.all(threads))];
  // The remaining memory of a process that is ending proves nothing.
  if (!isAlive(family.reference)) throw new CowherdError('PROCESS_ENDED', { detail: processes([family.reference]) });
  const comparisons = inOrder(family.workers, results).filter(({ pid }) => isAlive(pid));
  if (comparisons.length === 0) throw new CowherdError('PROCESS_ENDED', { detail: processes(family.workers) });
  const { found = null, problem = null } = results[0] ?? {};
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
      has_census: family.census !== null,
      census_problem: family.censusProblem,
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

async function inThread(workerData: Share): Promise<ShareResult> {
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
