/** Compares a share of a family's workers with their reference. Each thread of `look.ts` runs it, also the main one. */
import { monotonicClock } from '../../base/clock.ts';
import { CowherdError } from '../../base/errors.ts';
import { type Bytes, bytes } from '../../base/units.ts';
import { type ComingCensus, knownCensus } from '../compare/coming-census.ts';
import { compare, workOf, type WorkerComparison } from '../compare/comparison.ts';
import { Census, type CensusTables } from '../owners/census.ts';
import { asReference, type FoundReference, openSubject, type OpenSubject, withEntriesKept } from './open-subject.ts';
import { Rests } from './resting.ts';

export interface Share {
  readonly reference: number;
  readonly workers: readonly number[];
  /** Workers whose owners are looked up; `median`: the median one of this share. */
  readonly ownersOf: readonly number[] | 'median';
  readonly pageBytes: number;
  /** The reference's census; null if it has none. */
  readonly census: CensusTables | null;
}

export interface ShareResult extends Pick<FoundReference, 'found' | 'problem'> {
  /** One for each worker that still existed. */
  readonly comparisons: readonly WorkerComparison[];
  /** The largest number of bytes left out of any one of these processes. */
  readonly leftOut: Bytes;
}

/** What the main thread has done before it looks at its share. */
export interface Begun {
  readonly reference: OpenReference;
  /** When the look began, by the monotonic clock. */
  readonly startedMs: number;
}

export interface OpenReference extends FoundReference {
  readonly subject: OpenSubject;
}

/** About how long it takes to open the processes and identify their interpreter. */
export const OPENING_MS = 40;

/**
 * @param census the one of the share, or one that is under way
 * @throws CowherdError PROCESS_NOT_FOUND (for the reference only), PROCESS_NOT_READABLE
 */
export function lookAtShare(
  { reference: pid, workers, ownersOf, pageBytes, census: tables }: Share,
  census: ComingCensus = knownCensus(tables === null ? null : new Census(tables)),
  onProgress?: (done: number, total: number) => void,
  begun?: Begun,
): ShareResult {
  const rests = new Rests(monotonicClock, OPENING_MS + workOf(workers.length), undefined, begun?.startedMs);
  const rest = (leftMs?: number): void => rests.rest(leftMs);
  const opened: OpenSubject[] = [];
  const open = (each: number): OpenSubject => {
    rest();
    const subject = openSubject(each, pageBytes, rest);
    opened.push(subject);
    return subject;
  };
  try {
    const { subject, reference, found, problem } = begun?.reference ?? openReference(pid, pageBytes, rest);
    opened.push(subject);
    const subjects = workers.flatMap((each) => openIfThere(each, open));
    const comparisons = compare(reference, subjects, {
      pageBytes,
      ownersOf,
      census,
      onProgress,
      rest,
    });
    rest(0);
    const leftOut = bytes(Math.max(...opened.map((subject) => subject.leftOut)));
    return { found, problem, comparisons, leftOut };
  } finally {
    for (const subject of opened) subject.close();
  }
}

/** Opens the reference, whose page tables are kept, and finds out what it takes to identify its objects. */
export function openReference(pid: number, pageBytes: number, rest: () => void): OpenReference {
  const subject = withEntriesKept(openSubject(pid, pageBytes, rest), pageBytes);
  try {
    return { subject, ...asReference(subject, pageBytes, rest) };
  } catch (error) {
    subject.close();
    throw error;
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
