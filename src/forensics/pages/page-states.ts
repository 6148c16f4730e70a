/** What has become of the pages that a worker shared with its reference at its fork; pure. */
import type { Mapping } from '../../procfs/maps.ts';
import type { PageEntries } from '../../procfs/pagemap.ts';

/** A range of addresses from `start` to before `end`. */
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

/** The overlaps of both processes' private mappings. Memory that only the worker has mapped is its own. */
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
 * The private memory that only the worker has mapped.
 *
 * Both lists are in the order of their addresses and are gone through once, since a process may have 60,000 mappings.
 *
 * @param common what `commonRegions` returns: memory that both have, each region within one of the worker's mappings
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

/** `absent`: neither process has the page, or it is an unmodified page of a file. */
export const PAGE_STATES = ['absent', 'shared', 'unshared', 'fresh', 'released'] as const;
export type PageState = (typeof PAGE_STATES)[number];

/**
 * The state of one page.
 *
 * - `shared`: still the same page, or one that other workers map too (then the reference has written its own copy).
 * - `unshared`: both have a page there, and only this worker maps its page.
 * - `fresh`: only the worker has a page there.
 * - `released`: only the reference has a page there.
 *
 * Without CAP_SYS_ADMIN all frames are 0; then only the kernel's flag for exclusively mapped pages decides.
 */
export function pageState(reference: PageEntries, worker: PageEntries, page: number): PageState {
  const had = reference.isAnonymous(page) || reference.isSwapped(page);
  if (!worker.isAnonymous(page)) {
    // Whether a page in swap is shared can't be told from page tables.
    return had && !worker.isSwapped(page) && !worker.isPresent(page) ? 'released' : 'absent';
  }
  if (!had) return 'fresh';
  const frame = worker.frame(page);
  if (frame !== 0 && frame === reference.frame(page)) return 'shared';
  return worker.isExclusive(page) ? 'unshared' : 'shared';
}
