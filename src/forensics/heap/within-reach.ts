/**
 * Handles mappings so large that a table of their pages would not fit into memory: a program may reserve terabytes and
 * use a few pages of them. Only the parts of such a mapping that have pages are looked at. Pure.
 */
import { type Bytes, bytes } from '../../base/units.ts';
import type { Mapping } from '../../procfs/maps.ts';

export interface Reach {
  /** In the same order; a large mapping is replaced by its parts that have pages. */
  readonly mappings: readonly Mapping[];
  /** The size of readable private mappings too large even to search for their pages. */
  readonly leftOut: Bytes;
}

/** A mapping of at least this size is first searched for its pages: its tables would take 80 MiB. */
const LARGE_BYTES = 2 ** 34;

/** The most that is searched of a process's large mappings; the kernel delivers their entries in some ten seconds. */
export const MOST_LARGE_BYTES = 2 ** 41;

/** The unit of the search: a part is kept whole if it has a page. */
const PART_BYTES = 2 ** 24;

/** @param hasPages whether any page from `start` to before `end` is present or in swap */
export function withinReach(
  mappings: readonly Mapping[],
  hasPages: (start: number, end: number) => boolean,
  mostLargeBytes = MOST_LARGE_BYTES,
): Reach {
  const reached: Mapping[] = [];
  let left = mostLargeBytes;
  let leftOut = 0;
  for (const mapping of mappings) {
    const size = mapping.end - mapping.start;
    if (!mapping.private || size < LARGE_BYTES) {
      reached.push(mapping);
    } else if (size <= left) {
      left -= size;
      reached.push(...partsOf(mapping, hasPages));
    } else if (mapping.readable) {
      leftOut += size;
    }
  }
  return { mappings: reached, leftOut: bytes(leftOut) };
}

function* partsOf(mapping: Mapping, hasPages: (start: number, end: number) => boolean): Generator<Mapping> {
  let first: number | null = null;
  // Part boundaries are multiples of PART_BYTES, so they are the same in every process of a family.
  for (let start = mapping.start; start < mapping.end;) {
    const end = Math.min((Math.floor(start / PART_BYTES) + 1) * PART_BYTES, mapping.end);
    if (hasPages(start, end)) {
      first ??= start;
    } else if (first !== null) {
      yield part(mapping, first, start);
      first = null;
    }
    start = end;
  }
  if (first !== null) yield part(mapping, first, mapping.end);
}

function part(mapping: Mapping, start: number, end: number): Mapping {
  const fileOffset = mapping.inode === 0 ? mapping.fileOffset : mapping.fileOffset + (start - mapping.start);
  return { ...mapping, start, end, fileOffset };
}
