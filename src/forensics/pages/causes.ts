/**
 * The causes why a page is no longer shared, from the most harmless to the most stubborn.
 *
 * A page has one cause, even after several kinds of writes: the most stubborn one, since a remedy for the others would
 * not have kept the page shared.
 */

export interface CauseEntry {
  /** One sentence, for readers who don't know the term. */
  readonly meaning: string;
  /** The color of such pages on a map of the memory, for light and dark backgrounds. */
  readonly color: string;
}

export const CAUSES = {
  identical: {
    meaning:
      'Byte for byte what the parent has: written and restored, as the garbage collector does with every object it looks at, and a reference that was taken and given back.',
    color: '#4c9be8',
  },
  'gc-header': {
    meaning: "The garbage collector's list before an object was changed: it was collected, tracked or untracked.",
    color: '#2f6fb3',
  },
  refcount: {
    meaning: 'A reference count was changed: the object was read, and something still holds it.',
    color: '#e8a33d',
  },
  hash: { meaning: "A string's hash was computed at its first use and stored.", color: '#f2d06b' },
  specialization: {
    meaning:
      'The interpreter has adapted code that runs often, or numbered a class, a function or a dict for that: a warm-up before the fork does it once for all.',
    color: '#9a6fd0',
  },
  'shared-keys': {
    meaning: 'The table of attribute names that the instances of a class share was written by a new instance.',
    color: '#c58ae0',
  },
  allocator: {
    meaning: 'A free block, or the record of free blocks: something was allocated or freed beside what is shared.',
    color: '#59b26b',
  },
  native: {
    meaning: 'No object of Python: the stack, or variables of the interpreter and of libraries.',
    color: '#8a8f98',
  },
  unknown: { meaning: 'What was changed could not be told.', color: '#d0d3d8' },
  payload: {
    meaning: 'Real data was changed: an attribute, an item, a counter, a buffer.',
    color: '#d9534f',
  },
} as const satisfies Record<string, CauseEntry>;

export type Cause = keyof typeof CAUSES;

/** From the most harmless to the most stubborn. */
export const CAUSE_NAMES = Object.keys(CAUSES) as Cause[];

/** The place of each cause in that order. The innermost loops use these numbers instead of names. */
export const RANK = Object.fromEntries(CAUSE_NAMES.map((cause, rank) => [cause, rank])) as Readonly<
  Record<Cause, number>
>;

export function causeOfRank(rank: number): Cause {
  const cause = CAUSE_NAMES[rank];
  if (cause === undefined) throw new RangeError(`no cause has rank ${rank}`);
  return cause;
}

/** Number of pages, or of words, by cause. */
export type CauseCounts = Record<Cause, number>;
