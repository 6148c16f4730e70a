import { describe, expect, test } from 'vitest';
import { Census } from '../owners/census.ts';
import { OwnerTally, PageOwners } from '../owners/owners.ts';
import { knownCensus } from './coming-census.ts';
import { PageShares } from './page-shares.ts';

const PAGE_BYTES = 4096;
const FIRST = 0x7f00_0000_0000;
const PAGES = 40;

/** Each page has lists of one of four modules, by turns. */
const there = new Census({
  pageBytes: PAGE_BYTES,
  objects: PAGES,
  names: ['a', 'b', 'c', 'd'].map((module) => ({ module, type: 'list' })),
  pages: Float64Array.from({ length: PAGES }, (_, page) => FIRST / PAGE_BYTES + page),
  firsts: Uint32Array.from({ length: PAGES + 1 }, (_, page) => page),
  owners: Uint32Array.from({ length: PAGES }, (_, page) => page % 4),
  bytes: Uint32Array.from({ length: PAGES }, () => 500),
});

/** @param arrivesAt the number of looks before the census is there; it is there at the latest when waited for */
function divided(arrivesAt: number, found: Census | null, mostKept?: number) {
  const tally = new OwnerTally();
  let looks = 0;
  let waits = 0;
  const coming = {
    look: () => ((looks += 1) > arrivesAt ? found : undefined),
    wait: () => ((waits += 1), found),
  };
  const shares = new PageShares(tally, coming, mostKept);
  const owners = new PageOwners();
  const map = new Int32Array(PAGES).fill(-1);
  for (let page = 0; page < PAGES; page += 1) {
    owners.clear();
    owners.add(tally.numberOf({ module: null, type: 'list' }), 64 + page, true);
    owners.add(tally.numberOf({ module: null, type: 'str' }), 700, false);
    shares.add(owners, 'refcount', FIRST + page * PAGE_BYTES, { owners: map, page });
  }
  shares.finish();
  const largest = Array.from(map, (number) => tally.nameOf(number)?.module ?? null);
  return { owners: tally.owners(), largest, waits };
}

describe('pages are divided alike, whenever the census arrives', () => {
  const atOnce = divided(0, there);

  test('at once', () => {
    expect(atOnce.waits).toBe(0);
    expect(atOnce.largest).toEqual(Array.from({ length: PAGES }, (_, page) => 'abcd'[page % 4]));
    const [first] = atOnce.owners;
    expect(first).toMatchObject({ module: 'a', type: 'list', pages: 10, causes: { refcount: 10 } });
  });

  test.each([1, 7, PAGES - 1])('after %i pages', (looks) => {
    expect(divided(looks, there)).toEqual(atOnce);
  });

  test('after the last one', () => {
    expect(divided(Infinity, there)).toEqual({ ...atOnce, waits: 1 });
  });

  test('when no more pages can be kept', () => {
    expect(divided(Infinity, there, 20)).toEqual({ ...atOnce, waits: 1 });
  });
});

test('without a census, the owners stay as they were read', () => {
  const known = divided(0, null);
  expect(known.owners).toMatchObject([
    { module: null, type: 'list', pages: PAGES },
    { type: 'str', pages: 0 },
  ]);
  expect(divided(Infinity, null).owners).toEqual(known.owners);
  const tally = new OwnerTally();
  const shares = new PageShares(tally, knownCensus(null));
  shares.finish();
  expect(tally.owners()).toEqual([]);
});
