/** What became of the pages that a worker had in common with its reference when it was forked; pure. */
import type { Mapping } from '../../procfs/maps.ts';
import type { PageEntries } from '../../procfs/pagemap.ts';

/** Addresses one behind the other, up to before `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A stretch of private memory that both processes have at the same addresses. */
export interface Region extends Span {
  /** A path, `[heap]`, `[stack]`, or empty. */
  readonly path: string;
  readonly ofFile: boolean;
}

/**
 * The private mappings that both have, as far as they overlap. What only the worker has it has made itself.
 */
export function commonRegions(reference: readonly Mapping[], worker: readonly Mapping[]): Region[] {
  const regions: Region[] = [];
  let index = 0;
  for (const mine of worker) {
    if (!mine.private || !mine.readable) continue;
    while ((reference[index]?.end ?? Infinity) <= mine.start) index += 1;
    for (let at = index; at < reference.length; at += 1) {
      const other = reference[at];
      if (other === undefined || other.start >= mine.end) break;
      // Anonymous memory may have got a name in one of them only (PR_SET_VMA_ANON_NAME).
      if (!other.private || other.inode !== mine.inode) continue;
      const start = Math.max(mine.start, other.start);
      const end = Math.min(mine.end, other.end);
      if (start < end) regions.push({ start, end, path: mine.path, ofFile: mine.inode !== 0 });
    }
  }
  return regions;
}

/**
 * The private memory that only the worker has. `common`: what both have, as `commonRegions` gives it, none of it in two of
 * the worker's mappings. Both are in the
 * order of their addresses, and are gone through once: a process may have 60,000 mappings.
 */
export function uncommon(worker: readonly Mapping[], common: readonly Region[]): Span[] {
  const spans: Span[] = [];
  let index = 0;
  for (const mapping of worker) {
    if (!mapping.private) continue;
    while ((common[index]?.end ?? Infinity) <= mapping.start) index += 1;
    let start = mapping.start;
    for (let region = common[index]; region !== undefined && region.start < mapping.end; region = common[index]) {
      if (start < region.start) spans.push({ start, end: region.start });
      start = Math.max(start, region.end);
      index += 1;
    }
    if (start < mapping.end) spans.push({ start, end: mapping.end });
  }
  return spans;
}

/** `absent`: neither has it, or it is a page of a file as it is on the disk. */
export const PAGE_STATES = ['absent', 'shared', 'unshared', 'fresh', 'released'] as const;
export type PageState = (typeof PAGE_STATES)[number];

/**
 * The state of one page.
 *
 * - `shared`: still the same page, or one that other workers have too: then the reference has written its own.
 * - `unshared`: both have a page there and the worker's is its alone.
 * - `fresh`: only the worker has one.
 * - `released`: only the reference has one.
 *
 * Without CAP_SYS_ADMIN frames are all 0, and the kernel's word for pages that are mapped once has to do.
 */
export function pageState(reference: PageEntries, worker: PageEntries, page: number): PageState {
  const had = reference.isAnonymous(page) || reference.isSwapped(page);
  if (!worker.isAnonymous(page)) {
    // In swap it can't be told from here whose page it is.
    return had && !worker.isSwapped(page) && !worker.isPresent(page) ? 'released' : 'absent';
  }
  if (!had) return 'fresh';
  const frame = worker.frame(page);
  if (frame !== 0 && frame === reference.frame(page)) return 'shared';
  return worker.isExclusive(page) ? 'unshared' : 'shared';
}
