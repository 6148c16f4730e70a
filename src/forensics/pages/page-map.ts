/** A map of a worker's memory: a code for each page, which says what became of it. */
import { type Cause, CAUSE_NAMES } from './causes.ts';
import type { Region } from './page-states.ts';

/** The first codes of a page map; the others are causes, by their ranks. */
export const PAGE_CODES = ['absent', 'shared', 'fresh', 'released'] as const;

export function causeOfCode(code: number): Cause | null {
  return CAUSE_NAMES[code - PAGE_CODES.length] ?? null;
}

/** One region of a worker's memory, a code for each page. */
export interface RegionMap {
  readonly region: Region;
  readonly codes: Uint8Array;
  /** By code, how many pages have it. */
  readonly counts: Uint32Array;
  /** By page, the number of its owner in `ownerNames`; -1 where there is none. */
  readonly owners: Int32Array;
}

export const ABSENT = PAGE_CODES.indexOf('absent');
export const SHARED = PAGE_CODES.indexOf('shared');
export const FRESH = PAGE_CODES.indexOf('fresh');
export const RELEASED = PAGE_CODES.indexOf('released');
/** Stands for a page that is to be looked at, until it has been. */
export const TO_LOOK_AT = 255;

/** Gives a page another code, and counts it. */
export function setCode({ codes, counts }: RegionMap, page: number, code: number): void {
  const before = codes[page] ?? ABSENT;
  counts[before] = (counts[before] ?? 0) - 1;
  counts[code] = (counts[code] ?? 0) + 1;
  codes[page] = code;
}
