/**
 * How much of what a worker has made itself since its fork another worker has made alike, and could be shared if it
 * were made before: by a sample of its pages.
 *
 * Workers that do the same after the fork do it at the same addresses, and what they make is made of the same words but
 * for counts, times and pointers to what differs. So a page is alike where the other worker has one, and half of the
 * words that are not zero are the same: of workers that load their application themselves that finds three quarters,
 * of caches that were filled by different requests next to nothing.
 */
import type { Subject } from '../pages/subject.ts';
import type { Span } from '../pages/page-states.ts';

/** Enough to be right within some six points of a hundred. */
const SAMPLES = 256;
const ALIKE_PART = 0.5;

/** Whether at least half of the 64-bit words that are not zero in both are the same; pure. */
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

/** Pages at equal distances, as many as are wanted or as there are; pure. */
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

/** The part of a worker's own pages that the other one has alike, from 0 to 1; 0 where there are none. */
export function alikePart(mine: Subject, other: Subject, runs: readonly Span[], pageBytes: number): number {
  const pages = samplePages(runs, pageBytes, SAMPLES);
  const [a, b] = [new Uint32Array(pageBytes / 4), new Uint32Array(pageBytes / 4)];
  const alike = pages.filter(
    (page) =>
      // One that is not there must not be read: the kernel would map it.
      other.entries(page, page + pageBytes).isAnonymous(0) &&
      mine.memory.read(page, new Uint8Array(a.buffer)) &&
      other.memory.read(page, new Uint8Array(b.buffer)) &&
      areAlike(a, b),
  );
  return pages.length === 0 ? 0 : alike.length / pages.length;
}
