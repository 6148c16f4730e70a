/**
 * Why a page is no longer shared: the causes, from the most harmless to the most stubborn.
 *
 * A page has one cause, though it may hold several kinds of writes: the most stubborn of them, since no remedy for the
 * others would have kept it.
 */

export interface CauseEntry {
  /** One sentence, for those who have not met it. */
  readonly meaning: string;
  /** For a map of the memory: a colour that a page of this cause has, for light and dark grounds. */
  readonly color: string;
}

export const CAUSES = {
  identical: {
    meaning:
      "Byte for byte the parent's: written and restored, by the garbage collector in every object it visits, or by a reference that was taken and released.",
    color: '#4c9be8',
  },
  'gc-header': {
    meaning: "The garbage collector's list before an object was changed: it was collected, tracked or untracked.",
    color: '#2f6fb3',
  },
  refcount: {
    meaning: 'A reference count was changed: the object was read, and something still refers to it.',
    color: '#e8a33d',
  },
  hash: { meaning: "A string's hash was computed at its first use and stored.", color: '#f2d06b' },
  specialization: {
    meaning:
      'The interpreter specialized code that runs often, or numbered a class, a function or a dict for that: a warm-up before the fork does it once for all workers.',
    color: '#9a6fd0',
  },
  'shared-keys': {
    meaning: 'The table of attribute names that the instances of a class share was written by a new instance.',
    color: '#c58ae0',
  },
  allocator: {
    meaning: 'A free block, or the record of free blocks: something was allocated or freed next to shared data.',
    color: '#59b26b',
  },
  native: {
    meaning: 'Not a Python object: the stack, or variables of the interpreter and of libraries.',
    color: '#8a8f98',
  },
  unknown: { meaning: 'The changed data could not be identified.', color: '#d0d3d8' },
  payload: {
    meaning: 'Real data was changed: an attribute, an item, a counter, a buffer.',
    color: '#d9534f',
  },
} as const satisfies Record<string, CauseEntry>;

export type Cause = keyof typeof CAUSES;

/** In the order of their stubbornness. */
export const CAUSE_NAMES = Object.keys(CAUSES) as Cause[];

/** The place of each cause in that order: what the innermost loops reckon with. */
export const RANK = Object.fromEntries(CAUSE_NAMES.map((cause, rank) => [cause, rank])) as Readonly<
  Record<Cause, number>
>;

export function causeOfRank(rank: number): Cause {
  const cause = CAUSE_NAMES[rank];
  if (cause === undefined) throw new RangeError(`no cause has rank ${rank}`);
  return cause;
}

/** How many there are of each. */
export type CauseCounts = Record<Cause, number>;
