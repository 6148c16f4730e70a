import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePool, parsePoolHeader, POOL_HEADER_BYTES, POOL_SIZES } from './pymalloc.ts';
import { CAPTURED_VERSIONS, CapturedProcess, type PoolName } from './samples/captured-process.ts';

const POOLS: readonly PoolName[] = ['bytes', 'last_bytes', 'rows', 'keys'];

describe.each(CAPTURED_VERSIONS)('a pool of %s', (version) => {
  const captured = new CapturedProcess(version);

  test.each(POOLS)('%s: the live blocks of the program are in use, and its dropped ones are free', (name) => {
    const { words, address, blockBytes, blocks } = captured.pool(name);
    const pool = parsePool(words, 0, captured.poolBytes, address)!;
    expect(pool).toMatchObject({ address, blockBytes, capacity: blocks.length });
    for (const [block, state] of blocks.entries()) {
      if (state !== '.') expect(pool.free[block], `block ${block}`).toBe(state === '1' ? 0 : 1);
    }
    expect(pool.capacity - pool.free.reduce((sum, free) => sum + free, 0)).toBe(pool.allocated);
  });

  test('the last pool of a size has blocks that were never handed out', () => {
    const { words, address } = captured.pool('last_bytes');
    const header = parsePoolHeader(words, 0, captured.poolBytes)!;
    expect(header.virgin).toBeLessThan(POOL_HEADER_BYTES + header.capacity * header.blockBytes);
    const { free } = parsePool(words, 0, captured.poolBytes, address)!;
    expect([...free.subarray((header.virgin - POOL_HEADER_BYTES) / header.blockBytes)]).not.toContain(0);
  });

  test('a pool begins nowhere else in its memory, nor with another size', () => {
    for (const name of POOLS) {
      const { words, address } = captured.pool(name);
      for (let first = 0; first < words.length; first += 2) {
        for (const poolBytes of POOL_SIZES) {
          if (first === 0 && poolBytes === captured.poolBytes) continue;
          expect(parsePoolHeader(words, first, poolBytes)).toBeNull();
        }
      }
      // The free list does not fit another address.
      if (name === 'bytes') expect(parsePool(words, 0, captured.poolBytes, address + captured.poolBytes)).toBeNull();
    }
  });

  test('a pool read during an allocation is accepted, but not with two blocks too many or too few', () => {
    const { words, address } = captured.pool('bytes');
    const parsed = (more: number): boolean => {
      const changed = words.slice();
      changed[0] = (changed[0] ?? 0) + more;
      return parsePool(changed, 0, captured.poolBytes, address) !== null;
    };
    expect([-2, -1, 0, 1, 2].map(parsed)).toEqual([false, true, true, true, false]);
  });

  test('a free list that leaves the pool, points between blocks, or is circular is refused', () => {
    const { words, address, blockBytes } = captured.pool('bytes');
    const blocks = address + POOL_HEADER_BYTES;
    const capacity = Math.floor((captured.poolBytes - POOL_HEADER_BYTES) / blockBytes);
    // Changes the end of the list, so that the counts still fit.
    let tail = pointer(words, 2);
    while (pointer(words, (tail - address) / 4) !== 0) tail = pointer(words, (tail - address) / 4);
    const withNext = (next: number): boolean => {
      const changed = words.slice();
      const link = (tail - address) / 4;
      changed[link] = next % 2 ** 32;
      changed[link + 1] = Math.floor(next / 2 ** 32);
      return parsePool(changed, 0, captured.poolBytes, address) !== null;
    };
    expect(withNext(0)).toBe(true);
    for (const wrong of [tail, blocks + 48, address, blocks - blockBytes, blocks + capacity * blockBytes, 2 ** 63]) {
      expect(withNext(wrong), wrong.toString(16)).toBe(false);
    }
  });

  test('a header that contradicts itself is refused', () => {
    const { words, blockBytes } = captured.pool('bytes');
    const capacity = Math.floor((captured.poolBytes - POOL_HEADER_BYTES) / blockBytes);
    const header = (changes: Record<number, number>): unknown => {
      const changed = words.slice();
      for (const [offset, value] of Object.entries(changes)) changed[Number(offset) / 4] = value;
      return parsePoolHeader(changed, 0, captured.poolBytes);
    };
    expect(header({})).not.toBeNull();
    expect(header({ 0: capacity })).not.toBeNull();
    expect(header({ 0: capacity + 1 })).toBeNull();
    expect(header({ 40: POOL_HEADER_BYTES })).toBeNull();
    expect(header({ 40: POOL_HEADER_BYTES + blockBytes + 8 })).toBeNull();
    expect(header({ 40: POOL_HEADER_BYTES + capacity * blockBytes })).not.toBeNull();
    expect(header({ 40: POOL_HEADER_BYTES + (capacity + 1) * blockBytes })).toBeNull();
    expect(header({ 44: captured.poolBytes - blockBytes - 16 })).toBeNull();
    // Blocks of 528 bytes are larger than the largest size.
    expect(header({ 0: 1, 36: 32, 40: POOL_HEADER_BYTES + 528, 44: captured.poolBytes - 528 })).toBeNull();
  });

  test('after any change, an accepted pool adds up', () => {
    const { words, address } = captured.pool('bytes');
    const near = fc.integer({ min: -64, max: captured.poolBytes }).map((offset) => (address + offset) % 2 ** 32);
    const word = fc.oneof(fc.nat(300), near, fc.nat(2 ** 32 - 1));
    const place = fc.oneof(fc.nat(11), fc.nat(words.length - 1));
    fc.assert(
      fc.property(fc.array(fc.tuple(place, word), { maxLength: 4 }), (changes) => {
        const changed = words.slice();
        for (const [at, value] of changes) changed[at] = value;
        expectSound(changed, captured.poolBytes, address);
      }),
      { numRuns: 500 },
    );
  });
});

function pointer(words: Uint32Array, at: number): number {
  return (words[at + 1] ?? 0) * 2 ** 32 + (words[at] ?? 0);
}

function expectSound(words: Uint32Array, poolBytes: number, address: number): boolean {
  const header = parsePoolHeader(words, 0, poolBytes);
  const pool = parsePool(words, 0, poolBytes, address);
  if (header === null) expect(pool).toBeNull();
  if (pool === null) return false;
  expect(pool.free).toHaveLength(pool.capacity);
  expect(POOL_HEADER_BYTES + pool.capacity * pool.blockBytes).toBeLessThanOrEqual(poolBytes);
  const free = pool.free.reduce((sum, each) => sum + each, 0);
  expect(Math.abs(pool.capacity - free - pool.allocated)).toBeLessThanOrEqual(1);
  return true;
}

test('random words are no pool, or one that adds up', () => {
  const address = 0x7f12_3456_4000;
  const header = fc.record({
    allocated: fc.nat(20),
    head: fc.option(fc.nat(50)),
    sizeClass: fc.nat(40),
    virgin: fc.nat(60),
    odd: fc.constantFrom(0, 0, 0, 4),
  });
  let found = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...POOL_SIZES),
      header,
      fc.array(fc.tuple(fc.nat(50), fc.option(fc.nat(50))), { maxLength: 20 }),
      (poolBytes, { allocated, head, sizeClass, virgin, odd }, links) => {
        const words = new Uint32Array(poolBytes / 4);
        const blockBytes = (sizeClass + 1) * 16;
        const store = (at: number, block: number | null): void => {
          if (at + 1 >= words.length || block === null) return;
          const link = address + POOL_HEADER_BYTES + block * blockBytes;
          words[at] = link % 2 ** 32;
          words[at + 1] = Math.floor(link / 2 ** 32);
        };
        for (const [block, next] of links) store((POOL_HEADER_BYTES + block * blockBytes) / 4, next);
        words[0] = allocated;
        store(2, head);
        words[9] = sizeClass;
        words[10] = POOL_HEADER_BYTES + virgin * blockBytes + odd;
        words[11] = poolBytes - blockBytes;
        if (expectSound(words, poolBytes, address)) found += 1;
      },
    ),
    { numRuns: 2000 },
  );
  // Some of the nearly right ones are pools.
  expect(found).toBeGreaterThan(10);
});

test('zeros are no pool, and neither is the end of memory', () => {
  for (const poolBytes of POOL_SIZES) {
    expect(parsePoolHeader(new Uint32Array(poolBytes / 4), 0, poolBytes)).toBeNull();
    expect(parsePoolHeader(new Uint32Array(4), 0, poolBytes)).toBeNull();
  }
});
