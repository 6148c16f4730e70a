/** Compares a share of a family's workers with their reference. Each thread of `look.ts` runs it, also the main one. */
import { monotonicClock } from '../../base/clock.ts';
import { CowherdError } from '../../base/errors.ts';
import { type Bytes, bytes } from '../../base/units.ts';
import { compare, workOf, type WorkerComparison } from '../compare/comparison.ts';
import { asReference, type FoundReference, openSubject, type OpenSubject, withEntriesKept } from './open-subject.ts';
import { Rests } from './resting.ts';

export interface Share {
  readonly reference: number;
  readonly workers: readonly number[];
  /** Workers whose owners are looked up; `median`: the median one of this share. */
  readonly ownersOf: readonly number[] | 'median';
  readonly pageBytes: number;
  /** The file of the reference's census; null if it has none. */
  readonly census: string | null;
}

export interface ShareResult extends Pick<FoundReference, 'found' | 'problem'> {
  /** One for each worker that still existed. */
  readonly comparisons: readonly WorkerComparison[];
  /** The largest number of bytes left out of any one of these processes. */
  readonly leftOut: Bytes;
}

/** About how long it takes to open the processes and identify their interpreter. */
const OPENING_MS = 40;

/** @throws CowherdError PROCESS_NOT_FOUND (for the reference only), PROCESS_NOT_READABLE, CENSUS_UNREADABLE */
export async function lookAtShare(
  { reference: pid, workers, ownersOf, pageBytes, census: censusPath }: Share,
  onProgress?: (done: number, total: number) => void,
): Promise<ShareResult> {
  const rests = new Rests(monotonicClock, OPENING_MS + workOf(workers.length));
  const rest = (leftMs?: number): void => rests.rest(leftMs);
  const opened: OpenSubject[] = [];
  const open = (each: number): OpenSubject => {
    rest();
    const subject = openSubject(each, pageBytes, rest);
    opened.push(subject);
    return subject;
  };
  try {
    const { reference, found, problem } = asReference(withEntriesKept(open(pid), pageBytes), pageBytes, rest);
    const subjects = workers.flatMap((each) => openIfThere(each, open));
    const isAsked = ownersOf === 'median' || workers.some((each) => ownersOf.includes(each));
    const census =
      censusPath === null || !isAsked
        ? null
        : (await import('../owners/read-census.ts')).readCensus(censusPath, reference.mappings);
    const comparisons = compare(reference, subjects, { pageBytes, ownersOf, census, onProgress, rest });
    rest(0);
    const leftOut = bytes(Math.max(...opened.map((subject) => subject.leftOut)));
    return { found, problem, comparisons, leftOut };
  } finally {
    for (const subject of opened) subject.close();
  }
}

export function openIfThere(pid: number, open: (pid: number) => OpenSubject): OpenSubject[] {
  try {
    return [open(pid)];
  } catch (error) {
    if (error instanceof CowherdError && error.code === 'PROCESS_NOT_FOUND') return [];
    throw error;
  }
}
