/** A map of a worker's memory: a code for each page, which tells its state or cause. */
import { type Cause, CAUSE_NAMES } from './causes.ts';
import type { Region } from './page-states.ts';

/** The first codes of a page map. The codes after them are causes, in the order of their ranks. */
export const PAGE_CODES = ['absent', 'shared', 'fresh', 'released'] as const;

export function causeOfCode(code: number): Cause | null {
  return CAUSE_NAMES[code - PAGE_CODES.length] ?? null;
}

/** One region of a worker's memory, a code for each page. */
export interface RegionMap {
  readonly region: Region;
  readonly codes: Uint8Array;
  /** The number of pages with each code. */
  readonly counts: Uint32Array;
  /** For each page the number of its owner in `ownerNames`; -1 if it has none. */
  readonly owners: Int32Array;
}

export const ABSENT = PAGE_CODES.indexOf('absent');
export const SHARED = PAGE_CODES.indexOf('shared');
export const FRESH = PAGE_CODES.indexOf('fresh');
export const RELEASED = PAGE_CODES.indexOf('released');
/** The code of a page that has still to be looked at. */
export const TO_LOOK_AT = 255;

/** Changes the code of a page and updates the counts. */
export function setCode({ codes, counts }: RegionMap, page: number, code: number): void {
  const before = codes[page] ?? ABSENT;
  counts[before] = (counts[before] ?? 0) - 1;
  counts[code] = (counts[code] ?? 0) + 1;
  codes[page] = code;
}
