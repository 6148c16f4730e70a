/**
 * Mappings so large that a table of their pages would take more memory than there is: a program may reserve terabytes
 * and use a few pages of them. Of such a one only the parts that have pages are looked at. Pure.
 */
import { type Bytes, bytes } from '../../base/units.ts';
import type { Mapping } from '../../procfs/maps.ts';

export interface Reach {
  /** In the same order; a large one is cut into its parts. */
  readonly mappings: readonly Mapping[];
  /** Of readable private memory that is too large even to look where it has pages. */
  readonly leftOut: Bytes;
}

/** From this size on a mapping is looked through first: its tables would take 80 MiB. */
const LARGE_BYTES = 2 ** 34;

/** Of all large mappings of a process. The kernel gives the entries of so much in some ten seconds. */
export const MOST_LARGE_BYTES = 2 ** 41;

/** What has a page or none as a whole. */
const PART_BYTES = 2 ** 24;

/** @param hasPages whether any page from one address to before another is there, or in swap */
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
  // Parts are at the same addresses in every process of a family.
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
