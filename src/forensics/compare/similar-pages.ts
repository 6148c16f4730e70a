/**
 * Estimates how many of a worker's fresh pages are similar to another worker's, and could be shared if they were made
 * before the fork. Uses a sample of the pages.
 *
 * Workers that do the same after the fork do it at the same addresses. The pages that they make have the same words
 * except for counts, times, and pointers to memory that differs. So two pages at the same address are similar if half
 * of their words that are not zero are equal. For workers that load their application themselves this finds three
 * quarters of the pages, for caches filled by different requests next to nothing.
 */
import type { Subject } from '../pages/subject.ts';
import type { Span } from '../pages/page-states.ts';

/** Enough to be right within some six percentage points. */
const SAMPLES = 256;
const ALIKE_PART = 0.5;

/** Whether at least half of the 64-bit words are equal, ignoring words that are zero in both pages; pure. */
export function areAlike(mine: Uint32Array, other: Uint32Array): boolean {
  let same = 0;
  let words = 0;
  for (let index = 0; index < mine.length; index += 2) {
    const [low, high] = [mine[index], mine[index + 1]];
    if (low === 0 && high === 0 && other[index] === 0 && other[index + 1] === 0) continue;
    words += 1;
    if (low === other[index] && high === other[index + 1]) same += 1;
  }
  return same >= words * ALIKE_PART;
}

/** Addresses of `wanted` pages at equal distances, or of all pages if there are fewer; pure. */
export function samplePages(runs: readonly Span[], pageBytes: number, wanted: number): number[] {
  const total = runs.reduce((sum, { start, end }) => sum + (end - start) / pageBytes, 0);
  const count = Math.min(total, wanted);
  const pages: number[] = [];
  let before = 0;
  for (const { start, end } of runs) {
    const length = (end - start) / pageBytes;
    for (;;) {
      const next = Math.floor((pages.length * total) / count);
      if (pages.length === count || next >= before + length) break;
      pages.push(start + (next - before) * pageBytes);
    }
    before += length;
  }
  return pages;
}

/** The part of a worker's own pages that are similar to the other worker's, from 0 to 1; 0 if it has no own pages. */
export function alikePart(mine: Subject, other: Subject, runs: readonly Span[], pageBytes: number): number {
  const pages = samplePages(runs, pageBytes, SAMPLES);
  const [a, b] = [new Uint32Array(pageBytes / 4), new Uint32Array(pageBytes / 4)];
  const alike = pages.filter(
    (page) =>
      // A page that is absent must not be read: the kernel would map it.
      other.entries(page, page + pageBytes).isAnonymous(0) &&
      mine.memory.read(page, new Uint8Array(a.buffer)) &&
      other.memory.read(page, new Uint8Array(b.buffer)) &&
      areAlike(a, b),
  );
  return pages.length === 0 ? 0 : alike.length / pages.length;
}
