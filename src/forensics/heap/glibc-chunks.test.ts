import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type ChunkTable, ChunkWalk, isBookkeeping, memoryOf } from './glibc-chunks.ts';

interface Capture {
  readonly start: string;
  readonly end: string;
  readonly live: readonly (readonly [string, number])[];
  readonly freed: readonly string[];
  readonly memory: string;
}

const capture = JSON.parse(readFileSync(new URL('../captures/heap.json', import.meta.url), 'utf8')) as Capture;
const address = (hex: string): number => Number.parseInt(hex, 16);
const start = address(capture.start);
const end = address(capture.end);
const memory = new Uint32Array(new Uint8Array(inflateRawSync(Buffer.from(capture.memory, 'base64'))).buffer);

/** Feeds the heap in pieces of a given size in bytes. */
function walk(words: Uint32Array, from: number, to: number, pieceBytes: number): ChunkTable | null {
  const chunks = new ChunkWalk(from, to);
  for (let at = 0; at < words.length; at += pieceBytes / 4) {
    chunks.feed(from + at * 4, words.subarray(at, at + pieceBytes / 4));
  }
  return chunks.finish();
}

test.each([4096, 1 << 20, 16])('a real heap, read in pieces of %i bytes', (pieceBytes) => {
  const table = walk(memory, start, end, pieceBytes)!;
  expect(table.count).toBe(2173);
  for (const [hex, usable] of capture.live) {
    const chunk = table.at(address(hex))!;
    expect(memoryOf(chunk)).toBe(address(hex));
    expect(chunk).toMatchObject({ bytes: usable + 8, inUse: true });
    expect(table.at(address(hex) + usable - 9)).toEqual(chunk);
  }
  for (const hex of capture.freed) expect(table.at(address(hex))!.inUse).toBe(false);
  // The unused rest.
  expect(table.at(end - 1)!.inUse).toBe(false);
  expect(table.at(start - 1)).toBeNull();
  expect(table.at(end)).toBeNull();
});

test('chunks follow one another without a gap', () => {
  const table = walk(memory, start, end, 4096)!;
  let at = start;
  let count = 0;
  while (at < end) {
    const chunk = table.at(at)!;
    expect(chunk.address).toBe(at);
    at += chunk.bytes;
    count += 1;
  }
  expect([at, count]).toEqual([end, table.count]);
});

test('a chain that breaks anywhere is refused', () => {
  const second = memory[2]! & ~7;
  const withSize = (size: number): unknown => {
    const changed = memory.slice();
    changed[second / 4 + 2] = size;
    return walk(changed, start, end, 1 << 20);
  };
  const size = memory[second / 4 + 2]!;
  expect(withSize(size)).not.toBeNull();
  for (const wrong of [0, 1, 24 | 1, (size & ~7) + 8, end - start]) expect(withSize(wrong)).toBeNull();
  const high = memory.slice();
  high[second / 4 + 3] = 1;
  expect(walk(high, start, end, 1 << 20)).toBeNull();
});

test('chunks are aligned to 16 bytes', () => {
  const words = new Uint32Array(24);
  words[2] = 32 | 1;
  words[10] = 64 | 1;
  expect(walk(words, start, start + 96, 96)).not.toBeNull();
  words[2] = 40 | 1;
  words[12] = 56 | 1;
  expect(walk(words, start, start + 96, 96)).toBeNull();
});

test('a heap not read from its beginning to its end is refused', () => {
  expect(walk(memory.subarray(0, 65_536), start, end, 4096)).toBeNull();
  const late = new ChunkWalk(start, end);
  late.feed(start + 4096, memory.subarray(1024));
  expect(late.finish()).toBeNull();
  expect(new ChunkWalk(start, start).finish()).toBeNull();
  expect(walk(new Uint32Array(4096), start, start + 16_384, 4096)).toBeNull();
});

test('for any words, an accepted chain covers the whole heap', () => {
  const size = fc.oneof(
    fc.integer({ min: 1, max: 8 }).map((count) => count * 16),
    fc.nat(200),
  );
  let found = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(size, fc.nat(7)), { maxLength: 12 }), fc.nat(40), (sizes, rest) => {
      const total = sizes.reduce((sum, [bytes]) => sum + bytes, 0) + rest * 16;
      const words = new Uint32Array(Math.max(4, Math.ceil(total / 16) * 4));
      const to = start + words.length * 4;
      let at = 0;
      for (const [bytes, flags] of [...sizes, [rest * 16, 1] as const]) {
        words[Math.floor(at / 4) + 2] = bytes | flags;
        at += bytes;
      }
      const table = walk(words, start, to, 16);
      if (table === null) return;
      found += 1;
      for (let each = start; each < to;) {
        const chunk = table.at(each)!;
        expect(chunk.address).toBe(each);
        expect(chunk.bytes).toBeGreaterThanOrEqual(32);
        each += chunk.bytes;
        expect(each).toBeLessThanOrEqual(to);
      }
    }),
    { numRuns: 1000 },
  );
  expect(found).toBeGreaterThan(10);
});

test("malloc's own words: the size, and all words of a free chunk", () => {
  const chunk = { address: 4096, bytes: 64, inUse: true };
  expect([0, 8, 16, 56].map((offset) => isBookkeeping(chunk, 4096 + offset))).toEqual([false, true, false, false]);
  expect([0, 8, 16, 56].map((offset) => isBookkeeping({ ...chunk, inUse: false }, 4096 + offset))).toEqual([
    true,
    true,
    true,
    true,
  ]);
});
