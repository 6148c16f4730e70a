import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MemoryReader } from '../../base/memory-reader.ts';
import { MemoryWindow, WINDOW_BYTES } from './memory-window.ts';

const PAGE = 4096;
const COUNT = WINDOW_BYTES / PAGE;
const START = 0x7f12_3450_0000;

/** Memory in which each page is filled with its number, from 1 on. */
class Pages implements MemoryReader {
  readonly asked: [first: number, count: number][] = [];
  readonly #gone: (page: number) => boolean;

  constructor(gone: (page: number) => boolean = () => false) {
    this.#gone = gone;
  }

  read(address: number, into: Uint8Array): boolean {
    const first = (address - START) / PAGE;
    const count = into.length / PAGE;
    this.asked.push([first, count]);
    for (let page = 0; page < count; page += 1) {
      into.fill((first + page + 1) % 256, page * PAGE, (page + 1) * PAGE);
      // The bytes are undefined after a failed read.
      if (this.#gone(first + page)) return false;
    }
    return true;
  }
}

const firstByte = (window: MemoryWindow, page: number): number => (window.words[(page * PAGE) / 4] ?? 0) & 0xff;

test('the pages between two wanted ones are read along, if they are few and present', () => {
  const load = (wanted: number[], missing: number[] = []): unknown => {
    const pages = new Pages();
    new MemoryWindow(PAGE).load(
      pages,
      START,
      (page) => wanted.includes(page),
      (page) => !missing.includes(page),
    );
    return pages.asked;
  };
  expect(load([])).toEqual([]);
  expect(load([3])).toEqual([[3, 1]]);
  expect(load([3, 4, 5])).toEqual([[3, 3]]);
  expect(load([3, 7])).toEqual([[3, 5]]);
  expect(load([3, 8])).toEqual([
    [3, 1],
    [8, 1],
  ]);
  // Not across an absent page.
  expect(load([3, 5], [4])).toEqual([
    [3, 1],
    [5, 1],
  ]);
  expect(load([0, COUNT - 1])).toEqual([
    [0, 1],
    [COUNT - 1, 1],
  ]);
});

test('pages that are not wanted are zeros, also after the window has moved', () => {
  const window = new MemoryWindow(PAGE);
  const all = (): boolean => true;
  window.load(new Pages(), START, all, all);
  expect([0, 7, COUNT - 1].map((page) => firstByte(window, page))).toEqual([1, 8, COUNT % 256]);
  window.load(new Pages(), START, (page) => page === 7, all);
  expect([0, 7, COUNT - 1].map((page) => firstByte(window, page))).toEqual([0, 8, 0]);
  expect(window.start).toBe(START);
});

test('a page that has disappeared is reported, and its neighbors are still read', () => {
  const window = new MemoryWindow(PAGE);
  const failed = window.load(
    new Pages((page) => page === 4 || page === 9),
    START,
    (page) => [3, 4, 5, 9].includes(page),
    () => true,
  );
  expect(failed).toEqual([4, 9]);
  expect([3, 4, 5, 9].map((page) => firstByte(window, page))).toEqual([4, 0, 6, 0]);
});

test('all wanted pages are read, and no absent ones', () => {
  const set = fc.uniqueArray(fc.nat(40), { maxLength: 30 });
  fc.assert(
    fc.property(set, set, set, (wantedPages, alsoThere, gonePages) => {
      const there = new Set([...wantedPages, ...alsoThere]);
      const gone = new Set(gonePages);
      const pages = new Pages((page) => gone.has(page));
      const window = new MemoryWindow(PAGE);
      const failed = window.load(
        pages,
        START,
        (page) => wantedPages.includes(page),
        (page) => there.has(page),
      );
      for (const [first, count] of pages.asked) {
        for (let page = first; page < first + count; page += 1) expect(there.has(page)).toBe(true);
      }
      for (const page of wantedPages) {
        expect(firstByte(window, page)).toBe(gone.has(page) ? 0 : page + 1);
        expect(failed.includes(page)).toBe(gone.has(page));
      }
    }),
  );
});

test('equal pages of two windows; words and addresses', () => {
  const [one, other] = [new MemoryWindow(PAGE), new MemoryWindow(PAGE)];
  const all = (): boolean => true;
  for (const window of [one, other]) window.load(new Pages(), START, all, all);
  const at = START + 5 * PAGE;
  expect(one.hasSamePage(other, at)).toBe(true);
  other.words[(6 * PAGE) / 4 - 1] = 0;
  other.words[(5 * PAGE) / 4 - 1] = 0;
  expect(one.hasSamePage(other, at)).toBe(false);
  expect(one.hasSamePage(other, at + PAGE)).toBe(true);
  other.words.set([0xffff_fff0, 0x7f12], (5 * PAGE) / 4);
  expect(other.pointer(at)).toBe(0x7f12_ffff_fff0);
  expect([START - 8, START, START + WINDOW_BYTES - 8, START + WINDOW_BYTES - 4].map((each) => one.holds(each))).toEqual(
    [false, true, true, false],
  );
});
