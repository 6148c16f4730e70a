import { expect, test } from 'vitest';
import type { ObjectType } from '../../cpython/types-outside.ts';
import { Census, type CensusOwner } from './census.ts';
import { CensusOwners } from './census-owners.ts';
import type { MemoryWindow } from '../pages/memory-window.ts';
import { DICT_KEYS, FREE_MEMORY, type OwnerName } from './owner-name.ts';
import { OwnerTally, PageOwners } from './owners.ts';
import type { InspectedInterpreter } from '../heap/pool-reading.ts';

const PAGE = 0x7f00_0000_0000;

/** A census of one page. */
function census(...owners: CensusOwner[]): Census {
  return new Census({
    pageBytes: 4096,
    objects: 1,
    names: owners,
    pages: Float64Array.of(PAGE / 4096),
    firsts: Uint32Array.of(0, owners.length),
    owners: Uint32Array.from(owners.keys()),
    bytes: Uint32Array.from(owners, ({ bytes }) => bytes),
  });
}

type Part = [module: string | null, type: string, bytes: number];

interface Given {
  written?: [OwnerName | number, number][];
  bystanders?: [OwnerName | number, number][];
}

function given(
  there: Census,
  { written = [], bystanders = [] }: Given,
  tally = new OwnerTally(),
  address = PAGE,
): {
  written: Part[];
  bystanders: Part[];
} {
  const page = new PageOwners();
  const number = (owner: OwnerName | number): number => (typeof owner === 'number' ? owner : tally.numberOf(owner));
  for (const [owner, bytes] of written) page.add(number(owner), bytes, true);
  for (const [owner, bytes] of bystanders) page.add(number(owner), bytes, false);
  new CensusOwners(there, tally).give(page, address);
  const parts = (map: ReadonlyMap<number, number>): Part[] =>
    [...map].map(([owner, bytes]) => {
      const name = tally.nameOf(owner);
      return [name?.module ?? null, name?.type ?? '', bytes];
    });
  return { written: parts(page.written), bystanders: parts(page.bystanders) };
}

const dict: OwnerName = { module: null, type: 'dict' };

test('objects belong to the module with objects of their type on the page; bystanders stay bystanders', () => {
  const there = census(
    { module: 'shop.data', type: 'dict', bytes: 640 },
    { module: 'shop.texts', type: 'str', bytes: 900 },
  );
  expect(
    given(there, {
      written: [[dict, 64]],
      bystanders: [
        [dict, 576],
        [{ module: null, type: 'str' }, 900],
      ],
    }),
  ).toEqual({
    written: [['shop.data', 'dict', 64]],
    bystanders: [
      ['shop.data', 'dict', 576],
      ['shop.texts', 'str', 900],
    ],
  });
});

test('several modules share a page by their bytes', () => {
  const there = census({ module: 'a', type: 'dict', bytes: 300 }, { module: null, type: 'dict', bytes: 100 });
  expect(given(there, { written: [[dict, 64]] }).written).toEqual([
    ['a', 'dict', 48],
    [null, 'dict', 16],
  ]);
});

test('an instance belongs to the module that holds it, not to the module of its class', () => {
  const there = census({ module: 'shop.data', type: 'Row', bytes: 100 });
  expect(given(there, { written: [[{ module: 'shop.models', type: 'Row' }, 64]] }).written).toEqual([
    ['shop.data', 'Row', 64],
  ]);
});

test('owners that the census does not know, and other pages, stay as they are', () => {
  const there = census({ module: 'a', type: 'dict', bytes: 300 });
  const list: OwnerName = { module: null, type: 'list' };
  expect(
    given(there, {
      written: [
        [list, 64],
        [FREE_MEMORY, 32],
      ],
    }).written,
  ).toEqual([
    [null, 'list', 64],
    [null, '(free memory)', 32],
  ]);
  expect(given(there, { written: [[dict, 64]] }, new OwnerTally(), PAGE + 4096).written).toEqual([[null, 'dict', 64]]);
});

test('a class names its own module', () => {
  const tally = new OwnerTally();
  const type: ObjectType = {
    address: 1,
    name: 'type',
    module: 'builtins',
    prefixBytes: 16,
    isGc: true,
    isHeapType: false,
    isMetatype: true,
  };
  const interpreter = {
    minor: 13,
    types: { at: () => ({ module: 'shop.models' }) },
  } as unknown as InspectedInterpreter;
  const owner = tally.ownerOf(type, PAGE, {} as MemoryWindow, interpreter);
  const there = census({ module: 'shop.views', type: 'type', bytes: 1000 });
  expect(given(there, { written: [[owner, 900]] }, tally).written).toEqual([['shop.models', 'type', 900]]);
});

test('key tables of dicts, and memory of which only the mapping is known', () => {
  const there = census(
    { module: 'a', type: DICT_KEYS.type, bytes: 1000 },
    { module: 'a', type: '(memory of no object)', bytes: 2072 },
  );
  expect(given(there, { written: [[DICT_KEYS, 184]] }).written).toEqual([['a', '(keys of dicts)', 184]]);
  expect(given(there, { written: [[{ module: null, type: '(heap)' }, 4096]] }).written).toEqual([
    ['a', '(keys of dicts)', 1000],
    ['a', '(memory of no object)', 2072],
    [null, '(heap)', 1024],
  ]);
});
