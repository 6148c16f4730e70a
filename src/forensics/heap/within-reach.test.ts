import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Mapping } from '../../procfs/maps.ts';
import { withinReach } from './within-reach.ts';

const GIB = 2 ** 30;
const PART = 2 ** 24;
const START = 0x7f00_0000_1000;

function mapping(start: number, size: number, more: Partial<Mapping> = {}): Mapping {
  return {
    start,
    end: start + size,
    readable: true,
    writable: true,
    executable: false,
    private: true,
    fileOffset: 0,
    inode: 0,
    path: '',
    ...more,
  };
}

test('small mappings and shared ones are not searched', () => {
  const mappings = [mapping(START, GIB), mapping(START + 2 * GIB, 32 * 1024 * GIB, { private: false })];
  const never = (): never => {
    throw new Error('looked');
  };
  expect(withinReach(mappings, never)).toEqual({ mappings, leftOut: 0 });
});

test('a large mapping is reduced to the parts with pages, and no page is lost', () => {
  const large = mapping(START, 20 * GIB, { inode: 7, fileOffset: 4096 });
  const address = fc.integer({ min: 0, max: 20 * GIB - 1 }).map((offset) => START + offset);
  fc.assert(
    fc.property(fc.array(address, { maxLength: 5 }), (pages) => {
      const hasPages = (start: number, end: number): boolean => pages.some((page) => page >= start && page < end);
      const { mappings, leftOut } = withinReach([large], hasPages);
      expect(leftOut).toBe(0);
      for (const page of pages)
        expect(mappings.filter(({ start, end }) => page >= start && page < end)).toHaveLength(1);
      for (const { start, end, fileOffset, inode } of mappings) {
        expect(hasPages(start, end)).toBe(true);
        expect(fileOffset - 4096).toBe(start - START);
        expect(inode).toBe(7);
      }
      const size = mappings.reduce((sum, { start, end }) => sum + end - start, 0);
      expect(size).toBeLessThanOrEqual(pages.length * PART);
      expect(mappings.map(({ start }) => start)).toEqual(mappings.map(({ start }) => start).toSorted((a, b) => a - b));
    }),
  );
});

test('a mapping beyond reach is left out, and counted if it is readable', () => {
  const readable = mapping(START, 32 * 1024 * GIB);
  const reserved = mapping(START + 33 * 1024 * GIB, 32 * 1024 * GIB, { readable: false, writable: false });
  const small = mapping(START + 66 * 1024 * GIB, GIB);
  expect(withinReach([readable, reserved, small], () => true)).toEqual({ mappings: [small], leftOut: 32 * 1024 * GIB });
  // The limit is for all of them together.
  const three = [0, 1, 2].map((index) => mapping(START + index * 100 * GIB, 20 * GIB));
  const reach = withinReach(three, () => false, 45 * GIB);
  expect(reach).toEqual({ mappings: [], leftOut: 20 * GIB });
});
