import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OwnerTally, PageOwners } from './owners.ts';

const dict = { module: null, type: 'dict' };
const row = { module: 'shop.data', type: 'Row' };

test('owners of written objects share the page by bytes; bystanders are counted separately', () => {
  const tally = new OwnerTally();
  const page = new PageOwners();
  const [first, second, third] = [dict, row, { module: 'b', type: 'dict' }].map((name) => tally.numberOf(name));
  page.add(first!, 100, true);
  page.add(second!, 200, true);
  page.add(first!, 100, true);
  page.add(second!, 1000, false);
  page.add(third!, 50, false);
  expect(tally.count(page, 'refcount')).toBe(first);
  page.clear();
  page.add(second!, 64, true);
  expect(tally.count(page, 'payload')).toBe(second);
  expect(tally.owners()).toEqual([
    { ...row, pages: 1.5, causes: { refcount: 0.5, payload: 1 }, bystanderBytes: 1000 },
    { ...dict, pages: 0.5, causes: { refcount: 0.5 }, bystanderBytes: 0 },
    { module: 'b', type: 'dict', pages: 0, causes: {}, bystanderBytes: 50 },
  ]);
});

test('if nothing is known to have been written, all owners on the page share it', () => {
  const tally = new OwnerTally();
  const page = new PageOwners();
  page.add(tally.numberOf(dict), 300, false);
  page.add(tally.numberOf(row), 100, false);
  expect(tally.count(page, 'identical')).toBe(0);
  expect(tally.owners()).toMatchObject([
    { type: 'dict', pages: 0.75, bystanderBytes: 0 },
    { type: 'Row', pages: 0.25, bystanderBytes: 0 },
  ]);
});

test('a page without owners', () => {
  const tally = new OwnerTally();
  tally.numberOf(dict);
  expect(tally.count(new PageOwners(), 'identical')).toBe(-1);
  expect(tally.owners()).toEqual([]);
});

test('equal names have the same number, and other names another one', () => {
  const tally = new OwnerTally();
  expect(tally.numberOf(dict)).toBe(tally.numberOf({ module: null, type: 'dict' }));
  expect(tally.numberOf({ module: 'a', type: 'b.c' })).not.toBe(tally.numberOf({ module: 'a.b', type: 'c' }));
  expect(tally.names().map(({ type }) => type)).toEqual(['dict', 'b.c', 'c']);
  expect(tally.nameOf(0)).toEqual(dict);
  expect(tally.nameOf(9)).toBeUndefined();
});

test('no part of a page is lost', () => {
  const owner = fc.record({ number: fc.nat(4), bytes: fc.integer({ min: 1, max: 4096 }), isWritten: fc.boolean() });
  const pages = fc.array(fc.tuple(fc.array(owner, { minLength: 1, maxLength: 8 }), fc.constantFrom('hash', 'payload')));
  fc.assert(
    fc.property(pages, (all) => {
      const tally = new OwnerTally();
      for (let number = 0; number < 5; number += 1) tally.numberOf({ module: null, type: `type ${number}` });
      const page = new PageOwners();
      for (const [owners, cause] of all) {
        page.clear();
        for (const { number, bytes, isWritten } of owners) page.add(number, bytes, isWritten);
        tally.count(page, cause);
      }
      const found = tally.owners();
      expect(found.reduce((sum, { pages }) => sum + pages, 0)).toBeCloseTo(all.length);
      for (const { pages, causes } of found) {
        expect(Object.values(causes).reduce((sum, count) => sum + count, 0)).toBeCloseTo(pages);
      }
      expect(found.map(({ pages }) => pages)).toEqual(found.map(({ pages }) => pages).toSorted((a, b) => b - a));
    }),
  );
});
