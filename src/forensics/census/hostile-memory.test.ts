/** A census of memory that is torn, damaged or made to mislead: the walk ends, within what it may cost. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Mapping } from '../../procfs/maps.ts';
import { PageEntries } from '../../procfs/pagemap.ts';
import type { Subject } from '../pages/subject.ts';
import { SampleInterpreter } from '../samples/sample-interpreter.ts';
import { PAGE_BYTES } from '../samples/sample-process.ts';
import type { CensusLimits } from './census-budget.ts';
import { type CensusCost, type CensusOutcome, tryCensus } from './take-census.ts';

const LIMITS: CensusLimits = { steps: 2_000_000, heldBytes: 4 << 20, milliseconds: 60_000 };
/** A stretch of steps is paid for before it is taken. */
const STRETCH = 1 << 16;

interface Place {
  readonly address: number;
  readonly bytes: number;
}

/** An interpreter with objects of all kinds, and where these are. */
function shop(): { sample: SampleInterpreter; places: Place[] } {
  const sample = new SampleInterpreter();
  const inner = sample.dict({ row: sample.object('plain') });
  const objects = [
    inner,
    sample.dict({ a: sample.object('plain'), b: sample.list([sample.holder(inner)]) }),
    sample.list(Array.from({ length: 40 }, () => sample.holder(sample.object('plain')))),
    sample.function('shop', inner),
    sample.weakref(inner, sample.function('gone', inner)),
  ];
  const names = Object.fromEntries(objects.map((object, index) => [`n${index}`, object]));
  const module = sample.module('shop', sample.dict(names));
  sample.finish({ shop: module, other: sample.module('other', inner) });
  const places = sample.allocations.map(([address, bytes]) => ({ address, bytes }));
  for (const type of ['type', 'dict', 'list', 'module', 'str', 'holder'] as const) {
    places.push({ address: sample.typeAddress(type), bytes: 416 });
  }
  return { sample, places };
}

function censusOf(subject: Subject, limits = LIMITS): { outcome: CensusOutcome; cost: CensusCost | undefined } {
  let cost: CensusCost | undefined;
  const outcome = tryCensus(subject, {
    minor: 13,
    pageBytes: PAGE_BYTES,
    limits,
    onCost: (each) => {
      cost = each;
    },
  });
  return { outcome, cost };
}

const whole = shop();
const places = whole.places;

test('without changes, the sample has a census that costs little', () => {
  const { outcome, cost } = censusOf(whole.sample.process);
  expect(outcome.problem).toBeNull();
  expect(cost?.steps).toBeLessThan(LIMITS.steps / 4);
  expect(places.length).toBeGreaterThan(100);
});

const word = fc.oneof(
  fc.constantFrom(0, 1, 0xff, 2 ** 16, 2 ** 28, 2 ** 31, 2 ** 32 - 1, 2 ** 40, 2 ** 47, 2 ** 53, 2 ** 62, 2 ** 63),
  fc.nat(places.length - 1).map((index) => places[index]?.address ?? 0),
  fc.tuple(fc.nat(places.length - 1), fc.nat(64)).map(([index, unit]) => (places[index]?.address ?? 0) + unit * 8),
);
const change = fc.record({ place: fc.nat(places.length - 1), at: fc.nat(2 ** 16), word });

test('after any change of the memory, the walk ends within its limits', () => {
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 12 }), (changes) => {
      const process = whole.sample.process.fork(101);
      for (const { place, at, word: value } of changes) {
        const { address, bytes } = places[place] ?? { address: 0, bytes: 8 };
        process.write64(address + (at % Math.max(1, Math.floor(bytes / 8))) * 8, value);
      }
      const { outcome, cost } = censusOf(process);
      // An error of the walk's own would be caught as well, but is a defect.
      expect(outcome.problem ?? '').not.toMatch(/failed/);
      expect(cost?.steps).toBeLessThan(LIMITS.steps + 2 * STRETCH);
      expect(cost?.heldBytes).toBeLessThan(2 * LIMITS.heldBytes);
    }),
    { numRuns: 300 },
  );
}, 120_000);

test('a list of nearly 2^28 items, in a thousand lists, ends at the limit of steps', () => {
  const { sample } = shop();
  const lists = Array.from({ length: 900 }, () => sample.list([]));
  for (const list of lists) sample.process.write64(list + 16, 2 ** 28 - 1);
  const table = sample.list(lists.slice(0, 500));
  sample.finish({ evil: sample.module('evil', sample.dict({ table, more: sample.list(lists.slice(500)) })) });
  const { outcome, cost } = censusOf(sample.process);
  expect(outcome.problem).toMatch(/more steps than its memory explains/);
  expect(cost?.steps).toBeLessThan(LIMITS.steps + 2 * STRETCH);
});

test('a walk that takes too long, or too much memory, ends', () => {
  const { sample } = shop();
  expect(censusOf(sample.process, { ...LIMITS, milliseconds: -1 }).outcome.problem).toMatch(/not finished after/);
  expect(censusOf(sample.process, { ...LIMITS, heldBytes: 1 << 16 }).outcome.problem).toMatch(/needed more than/);
});

test('a process of more than 32 GiB, and a version that is not known, are said', () => {
  const gib = 2 ** 30;
  const mapping = { ...(whole.sample.process.mappings[0] as Mapping), start: 2 ** 40, end: 2 ** 40 + 33 * gib };
  // Each page is present.
  const pages = new PageEntries(new Uint32Array(512).fill(2 ** 31));
  const parts = Array.from({ length: 33 * 1024 }, (_, index) => ({
    ...mapping,
    start: mapping.start + index * 2 ** 20,
    end: mapping.start + (index + 1) * 2 ** 20,
  }));
  const large: Subject = { pid: 1, mappings: parts, memory: { read: () => false }, entries: () => pages };
  expect(censusOf(large).outcome.problem).toMatch(/more than 32 GiB/);
  expect(tryCensus(large, { minor: 9, pageBytes: PAGE_BYTES }).problem).toMatch(/3\.10 or newer/);
});

test('an error of the walk costs the census only', () => {
  const { sample } = shop();
  const { process } = sample;
  const broken: Subject = {
    pid: 1,
    mappings: process.mappings,
    entries: process.entries,
    memory: {
      read: () => {
        throw new TypeError('nobody thought of that');
      },
    },
  };
  expect(censusOf(broken).outcome.problem).toBe('the walk failed (TypeError: nobody thought of that)');
});

test('pages in swap are read, and counted', () => {
  const { sample } = shop();
  const before = censusOf(sample.process);
  const [first] = sample.allocations;
  sample.process.swapOut(first?.[0] ?? 0);
  const after = censusOf(sample.process);
  expect(after.outcome.census?.tables.objects).toBe(before.outcome.census?.tables.objects);
  expect([before.cost?.swappedBytes, after.cost?.swappedBytes]).toEqual([0, PAGE_BYTES]);
});
