/**
 * `cowherd why`: what unshared the pages of a prefork server's workers, who owns them, and what to do. Modules that
 * only some looks need are imported on demand, since loading takes CPU time from the inspected processes.
 */
import { setPriority } from 'node:os';
import { CowherdError } from '../../base/errors.ts';
import { printableJson } from '../../base/printable.ts';
import type { Change } from '../../forensics/answer/change.ts';
import type { WorkerComparison } from '../../forensics/compare/comparison.ts';
import { type Family, look } from '../../forensics/look/look.ts';
import type { WhyReport } from '../../forensics/answer/report.ts';
import type { Snapshot } from '../../forensics/answer/snapshot.ts';
import { readStat } from '../../procfs/stat.ts';
import { collectorCaller } from '../../supervisor/herd/guard-calls.ts';
import type { MoldReport } from '../../supervisor/control/status.ts';
import { familyOfProcess } from '../herd/family-of-process.ts';
import { findHerd } from '../herd/find-herd.ts';
import { herdOfProcess } from '../herd/herd-of-process.ts';
import { refuseToReplace, writeOutput } from '../shared/output-file.ts';
import { readStatus } from '../herd/read-status.ts';

export interface WhyOptions {
  runtimeDir?: string;
  /** Compare with this process instead of the parent. */
  reference?: number;
  /** Every worker, not only the median one. */
  all?: boolean;
  json?: boolean;
  /** Write a page with a map of the memory. */
  html?: string;
  /** Save the look to a file; `since`: compare with a saved look. */
  save?: string;
  since?: string;
  /** `false`: take no census. */
  census?: boolean;
  /** Replace output files. */
  force?: boolean;
}

/** Gives the inspected processes priority. */
const NICENESS = 19;
const PROGRESS_AFTER_MS = 700;

export async function runWhy(target: number | undefined, options: WhyOptions): Promise<number> {
  for (const path of [options.html, options.save]) refuseToReplace(path, options.force);
  const earlier =
    options.since === undefined
      ? null
      : (await import('../../forensics/answer/snapshot.ts')).readSnapshot(options.since);
  const family =
    target === undefined
      ? await familyOfHerd(options)
      : await inItsHerd(await familyOfProcess(target, options), options);
  setPriority(NICENESS);
  const { report, comparisons } = await look(family, {
    ownersOf: options.all === true ? 'all' : 'median',
    withCensus: options.census !== false,
    onCensus: censusProgressOn(process.stderr),
    onProgress: progressOn(process.stderr),
  });
  const change = await keepAndCompare(report, comparisons, earlier, options);
  if (options.html !== undefined) {
    const shown = options.all === true ? comparisons : comparisons.filter(({ pid }) => pid === report.median_pid);
    writeOutput(options.html, (await import('./why-html.ts')).whyPage(report, shown), options.force);
  }
  const text =
    options.json === true
      ? `${printableJson(change === null ? report : { ...report, change }, 2)}\n`
      : (await import('./why-text.ts')).formatWhy(report, options.all, change);
  process.stdout.write(text);
  return 0;
}

/** Saves the look, and compares it with an earlier one; null if no comparison is asked for. */
async function keepAndCompare(
  report: WhyReport,
  comparisons: readonly WorkerComparison[],
  earlier: Snapshot | null,
  { save, force }: WhyOptions,
): Promise<Change | null> {
  if (save === undefined && earlier === null) return null;
  const { encodeSnapshot, snapshotOf } = await import('../../forensics/answer/snapshot.ts');
  const { changeBetween } = await import('../../forensics/answer/change.ts');
  const facts = { takenAt: report.taken_at, pageBytes: report.page_bytes, referencePid: report.reference.pid };
  const snapshot = snapshotOf(comparisons, facts, (pid) => readStat(pid)?.startTime ?? null);
  if (save !== undefined) writeOutput(save, encodeSnapshot(snapshot), force);
  return earlier === null ? null : changeBetween(earlier, snapshot);
}

/** The mold of the serving generation, and its workers. */
async function familyOfHerd(options: WhyOptions): Promise<Family> {
  const directory = await findHerd(options.runtimeDir);
  const { herd, molds, workers } = await readStatus(directory);
  const mold = molds.find(({ generation }) => generation === herd.generation);
  const own = workers.filter(({ generation, state }) => generation === herd.generation && state === 'ready');
  const pid = mold?.pid ?? null;
  if (pid === null || own.length === 0) {
    throw new CowherdError('NOT_FORKED', { detail: `generation ${herd.generation} has no mold, or no ready worker` });
  }
  return {
    reference: pid,
    workers: own.map((worker) => worker.pid),
    isSibling: false,
    policy: herd.policy,
    collectorCalledBy: collectorCaller(herd.guard_calls ?? []),
    isWarmedUp: isWarmedUp(mold),
  };
}

/** Adds facts known only to the herd, if the process belongs to one. */
async function inItsHerd(family: Family, options: WhyOptions): Promise<Family> {
  const herd = await herdOfProcess(family.reference, options.runtimeDir);
  const mold = herd?.report.molds.find(({ generation }) => generation === herd.generation);
  if (herd === null || mold === undefined) return family;
  const collectorCalledBy = collectorCaller(herd.report.herd.guard_calls ?? []);
  return { ...family, policy: mold.policy, collectorCalledBy, isWarmedUp: isWarmedUp(mold) };
}

/** Whether the mold's report has warm-up requests (agent: mold/warming.py). */
function isWarmedUp(mold: MoldReport | undefined): boolean {
  return mold?.report['warmup'] !== undefined;
}

/** Updates a line on the terminal if the census takes long. */
function censusProgressOn(stream: NodeJS.WriteStream): ((part: number) => void) | undefined {
  if (!stream.isTTY) return undefined;
  const startedMs = performance.now();
  return (part) => {
    if (performance.now() - startedMs < PROGRESS_AFTER_MS) return;
    stream.write(part === 1 ? '\r\u001B[K' : `\rReading objects: ${Math.floor(100 * part)}%\u001B[K`);
  };
}

/** Updates a line on the terminal if the work takes long. */
function progressOn(stream: NodeJS.WriteStream): ((done: number, total: number) => void) | undefined {
  if (!stream.isTTY) return undefined;
  const startedMs = performance.now();
  return (done, total) => {
    if (performance.now() - startedMs < PROGRESS_AFTER_MS) return;
    stream.write(
      done === total ? '\r\u001B[K' : `\rReading memory: ${done} of ${total} MiB with unshared pages\u001B[K`,
    );
  };
}
