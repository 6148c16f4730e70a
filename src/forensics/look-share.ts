/** A share of a family's workers, compared with their reference: what a thread of `look.ts` does, and the main one too. */
import { CowherdError } from '../base/errors.ts';
import { compare, type WorkerComparison } from './comparison.ts';
import { asReference, type FoundReference, openSubject, type OpenSubject } from './open-subject.ts';

export interface Share {
  readonly reference: number;
  readonly workers: readonly number[];
  /** Those whose owners are looked for. */
  readonly ownersOf: readonly number[];
  readonly pageBytes: number;
}

export interface ShareResult extends Pick<FoundReference, 'found' | 'problem'> {
  /** Of those workers that were still there. */
  readonly comparisons: readonly WorkerComparison[];
}

/** @throws CowherdError PROCESS_NOT_FOUND (of the reference), PROCESS_NOT_READABLE */
export function lookAtShare(
  { reference: pid, workers, ownersOf, pageBytes }: Share,
  onProgress?: (done: number, total: number) => void,
): ShareResult {
  const opened: OpenSubject[] = [];
  const open = (each: number): OpenSubject => {
    const subject = openSubject(each, pageBytes);
    opened.push(subject);
    return subject;
  };
  try {
    const { reference, found, problem } = asReference(open(pid), pageBytes);
    const subjects = workers.flatMap((each) => openIfThere(each, open));
    const comparisons = compare(reference, subjects, { pageBytes, ownersOf, onProgress });
    return { found, problem, comparisons };
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
