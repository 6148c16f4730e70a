import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Mapping } from '../../procfs/maps.ts';
import { PageEntries } from '../../procfs/pagemap.ts';
import { commonRegions, PAGE_STATES, pageState, uncommon } from './page-states.ts';

const PRESENT = 1 << 31;
const SWAPPED = 1 << 30;
const OF_FILE = 1 << 29;
const EXCLUSIVE = 1 << 24;
const NOTHING = [0, 0] as const;

type Entry = readonly [flags: number, frame: number];

const state = (reference: Entry, worker: Entry): string =>
  pageState(
    new PageEntries(Uint32Array.of(reference[1], reference[0])),
    new PageEntries(Uint32Array.of(worker[1], worker[0])),
    0,
  );

test.each<[string, Entry, Entry]>([
  ['shared', [PRESENT, 5], [PRESENT, 5]],
  ['unshared', [PRESENT, 5], [PRESENT | EXCLUSIVE, 6]],
  ['unshared', [PRESENT | EXCLUSIVE, 5], [PRESENT | EXCLUSIVE, 6]],
  // The reference has written its own copy, and other workers still map the worker's page.
  ['shared', [PRESENT | EXCLUSIVE, 5], [PRESENT, 6]],
  ['fresh', NOTHING, [PRESENT | EXCLUSIVE, 6]],
  ['fresh', [PRESENT | OF_FILE, 5], [PRESENT | EXCLUSIVE, 6]],
  ['released', [PRESENT, 5], NOTHING],
  ['released', [SWAPPED, 5], NOTHING],
  // The worker's copy of a page that the reference has in swap.
  ['unshared', [SWAPPED, 5], [PRESENT | EXCLUSIVE, 6]],
  ['absent', NOTHING, NOTHING],
  ['absent', [PRESENT | OF_FILE, 5], [PRESENT | OF_FILE, 5]],
  // Whether a page in swap is shared can't be told.
  ['absent', [PRESENT, 5], [SWAPPED, 0]],
  // Without privileges.
  ['shared', [PRESENT, 0], [PRESENT, 0]],
  ['unshared', [PRESENT, 0], [PRESENT | EXCLUSIVE, 0]],
])('%s: %j in the reference, %j in the worker', (expected, reference, worker) => {
  expect(state(reference, worker)).toBe(expected);
});

test('each pair of entries has a state, which is not unshared if the frames are the same', () => {
  const entry = fc.tuple(fc.constantFrom(0, PRESENT, SWAPPED, PRESENT | OF_FILE, PRESENT | EXCLUSIVE), fc.nat(3));
  fc.assert(
    fc.property(entry, entry, (reference, worker) => {
      const found = state(reference, worker);
      expect(PAGE_STATES).toContain(found);
      if (reference[1] === worker[1] && worker[1] !== 0) expect(found).not.toBe('unshared');
    }),
  );
});

const mapping = (start: number, end: number, more: Partial<Mapping> = {}): Mapping => ({
  start,
  end,
  readable: true,
  writable: true,
  executable: false,
  private: true,
  fileOffset: 0,
  inode: 0,
  path: '',
  ...more,
});

test('regions are the private mappings of both', () => {
  const of = (reference: Mapping[], worker: Mapping[]): unknown[] =>
    commonRegions(reference, worker).map(({ start, end }) => [start, end]);
  expect(of([mapping(10, 20)], [mapping(10, 20)])).toEqual([[10, 20]]);
  expect(of([mapping(10, 20)], [mapping(15, 30)])).toEqual([[15, 20]]);
  // One process has two mappings where the other has one.
  expect(of([mapping(10, 15), mapping(15, 30)], [mapping(12, 20), mapping(20, 40)])).toEqual([
    [12, 15],
    [15, 20],
    [20, 30],
  ]);
  expect(of([mapping(10, 30)], [mapping(10, 12), mapping(20, 22)])).toEqual([
    [10, 12],
    [20, 22],
  ]);
  expect(of([mapping(10, 20)], [mapping(20, 30)])).toEqual([]);
  expect(of([], [mapping(20, 30)])).toEqual([]);
  // A shared mapping, one that is not readable, or one of another file.
  expect(of([mapping(10, 20, { private: false })], [mapping(10, 20)])).toEqual([]);
  expect(of([mapping(10, 20)], [mapping(10, 20, { private: false })])).toEqual([]);
  expect(of([mapping(10, 20)], [mapping(10, 20, { readable: false })])).toEqual([]);
  expect(of([mapping(10, 20, { inode: 5 })], [mapping(10, 20)])).toEqual([]);
});

test("a region has the name of the worker's mapping", () => {
  const [heap] = commonRegions([mapping(10, 20)], [mapping(10, 20, { path: '[heap]' })]);
  expect(heap).toEqual({ start: 10, end: 20, path: '[heap]', ofFile: false });
  const file = { path: '/lib/x.so', inode: 3 };
  expect(commonRegions([mapping(10, 20, file)], [mapping(10, 20, file)])).toMatchObject([{ ofFile: true }]);
});

test("regions cover the memory mapped by both, each place once; the rest is the worker's alone", () => {
  const mappings = fc
    .array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 6 }), fc.nat(5)), { maxLength: 8 })
    .map((all) => {
      let at = 0;
      return all.map(([gap, length, kind]) => {
        const start = at + gap;
        at = start + length;
        return mapping(start, at, { private: kind > 0 });
      });
    });
  fc.assert(
    fc.property(mappings, mappings, (reference, worker) => {
      const places = (all: readonly { start: number; end: number }[]): number[] =>
        all.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, index) => start + index));
      const own = (all: Mapping[]): number[] => places(all.filter((each) => each.private));
      const there = new Set(own(reference));
      const common = commonRegions(reference, worker);
      expect(places(common)).toEqual(own(worker).filter((place) => there.has(place)));
      expect(places(uncommon(worker, common))).toEqual(own(worker).filter((place) => !there.has(place)));
    }),
  );
});

test('60,000 mappings are gone through once', () => {
  const count = 60_000;
  let looks = 0;
  const counted = (start: number, end: number): Mapping =>
    new Proxy(mapping(start, end), {
      get(target, name) {
        looks += 1;
        return Reflect.get(target, name) as unknown;
      },
    });
  const worker = Array.from({ length: count }, (_, index) => counted(index * 10, index * 10 + 5));
  const reference = Array.from({ length: count }, (_, index) => counted(index * 10, index * 10 + 2));
  const common = commonRegions(reference, worker);
  expect(uncommon(worker, common)).toHaveLength(count);
  // Comparing each with each would take thirty thousand times as many steps.
  expect(looks).toBeLessThan(60 * count);
});
