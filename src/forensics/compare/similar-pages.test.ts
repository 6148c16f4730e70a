import fc from 'fast-check';
import { expect, test } from 'vitest';
import { alikePart, areAlike, samplePages } from './similar-pages.ts';
import type { Span } from '../pages/page-states.ts';
import { PAGE_BYTES, SampleProcess } from '../samples/sample-process.ts';

test('pages are similar if half of their words that are not zero are equal', () => {
  const page = (...words: number[]): Uint32Array => Uint32Array.from(words.flatMap((word) => [word, 0]));
  expect(areAlike(page(1, 2, 3, 4), page(1, 2, 3, 4))).toBe(true);
  expect(areAlike(page(1, 2, 3, 4), page(1, 2, 8, 9))).toBe(true);
  expect(areAlike(page(1, 2, 3, 4), page(1, 7, 8, 9))).toBe(false);
  // Words that are zero in both don't count.
  expect(areAlike(page(1, 2, 0, 0, 0), page(8, 9, 0, 0, 0))).toBe(false);
  expect(areAlike(page(1, 0), page(1, 5))).toBe(true);
  expect(areAlike(page(0, 0), page(0, 0))).toBe(true);
  // The upper half counts too.
  expect(areAlike(Uint32Array.of(1, 7), Uint32Array.of(1, 8))).toBe(false);
});

test('samples are at equal distances over all runs', () => {
  const runs = [
    { start: 0, end: 4 * PAGE_BYTES },
    { start: 100 * PAGE_BYTES, end: 106 * PAGE_BYTES },
  ];
  const of = (wanted: number): number[] => samplePages(runs, PAGE_BYTES, wanted).map((page) => page / PAGE_BYTES);
  expect(of(5)).toEqual([0, 2, 100, 102, 104]);
  expect(of(100)).toEqual([0, 1, 2, 3, 100, 101, 102, 103, 104, 105]);
  expect(samplePages([], PAGE_BYTES, 5)).toEqual([]);
});

test('for any runs, each sample is a different page of them', () => {
  const lengths = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 40 })), { maxLength: 9 });
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 60 }), (all, wanted) => {
      const runs: Span[] = [];
      let at = 0;
      for (const [gap, length] of all) {
        runs.push({ start: (at + gap) * PAGE_BYTES, end: (at + gap + length) * PAGE_BYTES });
        at += gap + length;
      }
      const pages = samplePages(runs, PAGE_BYTES, wanted);
      const total = all.reduce((sum, [, length]) => sum + length, 0);
      expect(new Set(pages).size).toBe(Math.min(wanted, total));
      for (const page of pages) expect(runs.some(({ start, end }) => start <= page && page < end)).toBe(true);
    }),
  );
});

test('only pages that both workers have are read', () => {
  const start = 0x7f00_0000_0000;
  const mold = new SampleProcess(100).map(start, 8);
  const [mine, other] = [mold.fork(200), mold.fork(201)];
  for (let page = 0; page < 8; page += 1) mine.write64(start + page * PAGE_BYTES, 5);
  // One similar page, one with other words, and an empty one.
  other.write64(start, 5);
  other.write64(start + PAGE_BYTES, 6);
  other.touch(start + 2 * PAGE_BYTES);
  const runs = [{ start, end: start + 8 * PAGE_BYTES }];
  expect(alikePart(mine, other, runs, PAGE_BYTES)).toBe(1 / 8);
  expect(alikePart(mine, other, [], PAGE_BYTES)).toBe(0);
  expect([mine.wronglyRead, other.wronglyRead]).toEqual([[], []]);
});
