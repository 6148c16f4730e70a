/** Looks at a family of processes: opens them, compares them, and says what was found. */
import { setPriority } from 'node:os';
import { monotonicClock } from '../base/clock.ts';
import { CowherdError } from '../base/errors.ts';
import { kernelUnits } from '../procfs/auxv.ts';
import { readStat } from '../procfs/stat.ts';
import { compare, type WorkerComparison } from './comparison.ts';
import { asReference, type FoundReference, openSubject, type OpenSubject } from './open-subject.ts';
import { type WhyReport, whyReport } from './report.ts';

export interface Family {
  readonly reference: number;
  readonly workers: readonly number[];
  /** The reference is another worker. */
  readonly isSibling: boolean;
  readonly policy: string | null;
  readonly collectorCalledBy: string | null;
}

export interface Look {
  readonly report: WhyReport;
  readonly comparisons: readonly WorkerComparison[];
}

/** Who looks gives way to who is looked at. */
const NICENESS = 19;

/**
 * @param onProgress is told how many of how many stretches of memory are done
 * @throws CowherdError PROCESS_NOT_FOUND, PROCESS_NOT_READABLE, PROCESS_ENDED
 */
export function look(family: Family, onProgress?: (done: number, total: number) => void): Look {
  setPriority(NICENESS);
  const startedMs = monotonicClock.now();
  const takenAt = new Date();
  const pageBytes = kernelUnits().pageSize;
  const opened: OpenSubject[] = [];
  const open = (pid: number): OpenSubject => {
    const subject = openSubject(pid, pageBytes);
    opened.push(subject);
    return subject;
  };
  try {
    const name = readStat(family.reference)?.name ?? '';
    const { reference, found, problem } = asReference(open(family.reference), pageBytes);
    const workers = family.workers.flatMap((pid) => openIfThere(pid, open));
    if (workers.length === 0) throw new CowherdError('PROCESS_ENDED', { detail: processes(family.workers) });
    const comparisons = compare(reference, workers, pageBytes, onProgress);
    const alive = comparisons.filter(({ pid }) => isAlive(pid));
    // What a process that ends has left of its memory says nothing.
    if (!isAlive(family.reference)) {
      throw new CowherdError('PROCESS_ENDED', { detail: processes([family.reference]) });
    }
    if (alive.length === 0) throw new CowherdError('PROCESS_ENDED', { detail: processes(family.workers) });
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
      },
      minor: problem === null && found !== null ? found.minor : null,
      collectorCalledBy: family.collectorCalledBy,
      workers: family.workers.length,
      comparisons: alive,
    });
    return { report, comparisons: alive };
  } finally {
    for (const subject of opened) subject.close();
  }
}

function openIfThere(pid: number, open: (pid: number) => OpenSubject): OpenSubject[] {
  try {
    return [open(pid)];
  } catch (error) {
    if (error instanceof CowherdError && error.code === 'PROCESS_NOT_FOUND') return [];
    throw error;
  }
}

function isAlive(pid: number): boolean {
  const stat = readStat(pid);
  return stat !== null && stat.state !== 'Z' && stat.state !== 'X';
}

function interpreterName(found: FoundReference['found']): string | null {
  if (found === null) return null;
  const name = found.implementation === 'pypy' ? 'PyPy, Python' : 'CPython';
  return `${found.freeThreaded ? 'free-threaded ' : ''}${name} ${found.version}`;
}

function processes(pids: readonly number[]): string {
  return `${pids.length === 1 ? 'process' : 'processes'} ${pids.join(', ')}`;
}
