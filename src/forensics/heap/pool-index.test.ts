import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MemoryReader } from '../../base/memory-reader.ts';
import { POOL_SIZES } from '../../cpython/pymalloc.ts';
import { address, CAPTURED_VERSIONS, CapturedProcess } from '../../cpython/samples/captured-process.ts';
import { PageEntries } from '../../procfs/pagemap.ts';
import type { Region } from '../pages/page-states.ts';
import { findPools, PoolIndex, type RegionPages } from './pool-index.ts';

const PAGE = 4096;

/** The region around an address, with all of its pages present or none. */
function around(place: number, before: number, after: number, more: Partial<Region> = {}, isThere = true): RegionPages {
  const region = { start: place - before, end: place + after, path: '', ofFile: false, ...more };
  const words = new Uint32Array(((before + after) / PAGE) * 2).fill(isThere ? 1 << 31 : 0);
  return { region, pages: new PageEntries(words) };
}

test.each(CAPTURED_VERSIONS)('pools of %s and their size are found among other memory', (version) => {
  const captured = new CapturedProcess(version);
  const pools = Object.values(captured.facts.pools)
    .map((pool) => address(pool.address))
    .toSorted((a, b) => a - b);
  // This region begins at another address than the pools.
  const [first = 0, last = 0] = [pools[0], pools.at(-1)];
  const index = findPools(captured, [around(first, PAGE * 3, last - first + captured.poolBytes * 2)], PAGE);
  expect([index.poolBytes, index.count(1, Infinity)]).toEqual([captured.poolBytes, 4]);
  for (const pool of pools) for (const at of [pool, pool + captured.poolBytes - 1]) expect(index.has(at)).toBe(true);
  expect([first - 1, last + captured.poolBytes].map((at) => index.has(at))).toEqual([false, false]);
  for (const type of Object.values(captured.facts.types)) expect(index.has(address(type.address))).toBe(false);
});

test('files, stacks and absent pages have no pools, and absent pages are not read', () => {
  const captured = new CapturedProcess('3.13.0');
  const pool = address(captured.facts.pools.rows.address);
  const found = (more: Partial<Region>, isThere = true): number => {
    let reads = 0;
    const counting = {
      read: (at: number, into: Uint8Array): boolean => {
        reads += 1;
        return captured.read(at, into);
      },
    };
    const count = findPools(counting, [around(pool, 0, captured.poolBytes, more, isThere)], PAGE).count(1, Infinity);
    if (count === 0) expect(reads).toBe(0);
    return count;
  };
  expect(found({})).toBe(1);
  expect(found({ path: '[heap]' })).toBe(1);
  expect(found({ path: '[stack]' })).toBe(0);
  expect(found({ ofFile: true })).toBe(0);
  expect(found({}, false)).toBe(0);
  // A pool that is cut off does not count.
  const cut = findPools(captured, [around(pool, 0, captured.poolBytes - PAGE)], PAGE);
  expect([cut.poolBytes, cut.count(1, Infinity)]).toEqual([null, 0]);
});

const PLACES = 200;
const HEAP = 0x10_0000;

/** A heap with a pool at each of these places, with one block of 16 bytes; other places are filled with ones. */
class Heap implements MemoryReader {
  readonly asked: number[] = [];
  readonly #poolBytes: number;
  readonly #pools: ReadonlySet<number>;

  constructor(poolBytes: number, pools: readonly number[]) {
    this.#poolBytes = poolBytes;
    this.#pools = new Set(pools);
  }

  get regions(): RegionPages[] {
    // Two regions, so that a stride continues from one into the other.
    const [first, second] = [50, PLACES - 50].map((places) => places * this.#poolBytes);
    return [around(HEAP, 0, first!), around(HEAP + first!, 0, second!)];
  }

  read(address: number, into: Uint8Array): boolean {
    this.asked.push(address);
    const isPool = this.#pools.has((address - HEAP) / this.#poolBytes);
    new Uint32Array(into.buffer).set(
      isPool ? [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, this.#poolBytes - 16] : Array.from({ length: 12 }, () => 1),
    );
    return true;
  }
}

test.each(POOL_SIZES)('an address is in a pool of %i bytes or not, and each place is read once', (poolBytes) => {
  const places = fc.uniqueArray(fc.nat(PLACES - 1), { maxLength: PLACES });
  const asked = fc.array(fc.tuple(fc.integer({ min: -2, max: PLACES + 1 }), fc.constantFrom(0, 1, poolBytes - 1)));
  fc.assert(
    fc.property(places, asked, (pools, addresses) => {
      const heap = new Heap(poolBytes, pools);
      const index = findPools(heap, heap.regions, PAGE);
      expect(index.poolBytes).toBe(pools.length === 0 ? null : poolBytes);
      heap.asked.length = 0;
      for (const [place, offset] of addresses) {
        expect(index.has(HEAP + place * poolBytes + offset)).toBe(pools.includes(place));
      }
      expect(new Set(heap.asked).size).toBe(heap.asked.length);
      expect(index.count(1, Infinity)).toBe(pools.length);
      expect(index.count(1, 3)).toBe(Math.min(3, pools.length));
    }),
  );
});

test('in a heap full of pools, few are read to find their size', () => {
  const heap = new Heap(
    16_384,
    Array.from({ length: PLACES }, (_, place) => place),
  );
  expect(findPools(heap, heap.regions, PAGE).poolBytes).toBe(16_384);
  expect(heap.asked.length).toBeLessThan(PLACES / 4);
});

test('a process without pools', () => {
  expect([PoolIndex.none().poolBytes, PoolIndex.none().has(0)]).toEqual([null, false]);
});
