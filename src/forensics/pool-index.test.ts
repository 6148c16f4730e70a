import fc from 'fast-check';
import { expect, test } from 'vitest';
import { address, CAPTURED_VERSIONS, CapturedProcess } from '../cpython/samples/captured-process.ts';
import { PageEntries } from '../procfs/pagemap.ts';
import type { Region } from './page-states.ts';
import { findPools, PoolIndex, type RegionPages } from './pool-index.ts';

const PAGE = 4096;

/** Around a place, with all of its pages there, or none. */
function around(place: number, before: number, after: number, more: Partial<Region> = {}, isThere = true): RegionPages {
  const region = { start: place - before, end: place + after, path: '', ofFile: false, ...more };
  const words = new Uint32Array(((before + after) / PAGE) * 2).fill(isThere ? 1 << 31 : 0);
  return { region, pages: new PageEntries(words) };
}

test.each(CAPTURED_VERSIONS)('pools of %s, and their size, among other memory', (version) => {
  const captured = new CapturedProcess(version);
  const pools = Object.values(captured.facts.pools)
    .map((pool) => address(pool.address))
    .toSorted((a, b) => a - b);
  // It begins at another place than pools do.
  const [first = 0, last = 0] = [pools[0], pools.at(-1)];
  const index = findPools(captured, [around(first, PAGE * 3, last - first + captured.poolBytes * 2)], PAGE);
  expect([index.poolBytes, index.count]).toEqual([captured.poolBytes, 4]);
  for (const pool of pools) for (const at of [pool, pool + captured.poolBytes - 1]) expect(index.has(at)).toBe(true);
  expect([first - 1, last + captured.poolBytes].map((at) => index.has(at))).toEqual([false, false]);
  for (const type of Object.values(captured.facts.types)) expect(index.has(address(type.address))).toBe(false);
});

test('files and stacks have none, nor have pages that are not there: those are not read', () => {
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
    const { count } = findPools(counting, [around(pool, 0, captured.poolBytes, more, isThere)], PAGE);
    if (count === 0) expect(reads).toBe(0);
    return count;
  };
  expect(found({})).toBe(1);
  expect(found({ path: '[heap]' })).toBe(1);
  expect(found({ path: '[stack]' })).toBe(0);
  expect(found({ ofFile: true })).toBe(0);
  expect(found({}, false)).toBe(0);
  // One that is cut off is none.
  const cut = findPools(captured, [around(pool, 0, captured.poolBytes - PAGE)], PAGE);
  expect([cut.poolBytes, cut.count]).toEqual([null, 0]);
});

test('an address is in a pool or not', () => {
  const pools = fc.uniqueArray(fc.nat(30), { maxLength: 20 }).map((all) => all.toSorted((a, b) => a - b));
  fc.assert(
    fc.property(pools, fc.integer({ min: -2, max: 32 }), fc.constantFrom(0, 1, 4095), (numbers, at, offset) => {
      const index = new PoolIndex(
        4096,
        numbers.map((number) => 0x10_0000 + number * 4096),
      );
      expect(index.count).toBe(numbers.length);
      expect(index.has(0x10_0000 + at * 4096 + offset)).toBe(numbers.includes(at));
    }),
  );
  expect(new PoolIndex(null, []).has(0)).toBe(false);
});
