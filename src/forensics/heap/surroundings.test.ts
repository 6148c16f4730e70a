import { expect, test } from 'vitest';
import { PageEntries } from '../../procfs/pagemap.ts';
import { ChunkWalk } from './glibc-chunks.ts';
import { findPools } from './pool-index.ts';
import { surroundings } from './surroundings.ts';

const PAGE = 4096;
const START = 0x10_0000;

/** Memory in which every place begins with a pool's header, or none does. */
const poolsOf = (poolBytes: number | null) =>
  findPools(
    {
      read: (_, into) => {
        new Uint32Array(into.buffer).set([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, (poolBytes ?? 0) - 16]);
        return true;
      },
    },
    [
      {
        region: { start: START, end: START + 16 * PAGE, path: '', ofFile: false },
        pages: new PageEntries(new Uint32Array(32).fill(1 << 31)),
      },
    ],
    PAGE,
  );

const chunksOf = (...sizes: number[]) => {
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  const words = new Uint32Array(bytes / 4);
  let at = 0;
  for (const size of sizes) {
    words[at / 4 + 2] = size + 1;
    at += size;
  }
  const walk = new ChunkWalk(START, START + bytes);
  walk.feed(START, words);
  return walk.finish();
};

/** The span in pages, counted from START. */
const pagesAround = (page: number, poolBytes: number | null, chunks: ReturnType<typeof chunksOf>): number[] => {
  const { start, end } = surroundings(START + page * PAGE, PAGE, poolsOf(poolBytes), chunks);
  return [(start - START) / PAGE, (end - START) / PAGE];
};

test('for a page in a pool, the whole pool', () => {
  expect(pagesAround(0, 16_384, null)).toEqual([0, 4]);
  expect(pagesAround(6, 16_384, null)).toEqual([4, 8]);
  expect(pagesAround(6, 4096, null)).toEqual([6, 7]);
});

test('for a page in other memory, its neighbors', () => {
  expect(pagesAround(6, null, null)).toEqual([5, 8]);
  expect(pagesAround(20, 16_384, null)).toEqual([19, 22]);
});

test("for a page in the C library's heap, all chunks on it", () => {
  expect(pagesAround(6, null, chunksOf(2 * PAGE, 8 * PAGE, 2 * PAGE))).toEqual([2, 10]);
  expect(pagesAround(6, null, chunksOf(6.5 * PAGE, 3.5 * PAGE))).toEqual([0, 10]);
  expect(pagesAround(6, null, chunksOf(...Array.from({ length: 40 }, () => PAGE / 4)))).toEqual([5, 8]);
});
