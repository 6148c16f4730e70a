import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Cause, CAUSE_NAMES, RANK } from '../pages/causes.ts';
import { Census } from '../owners/census.ts';
import { knownCensus } from './coming-census.ts';
import { causeOfCode, PAGE_CODES } from '../pages/page-map.ts';
import { medianOf } from './median.ts';
import { compare, unsharedPages, type WorkerComparison } from './comparison.ts';
import { PoolIndex } from '../heap/pool-index.ts';
import {
  ARENA,
  asSampleReference,
  block,
  CHUNKS,
  FREE_BLOCK,
  HEAP,
  LIBRARY,
  LOOSE,
  LOOSE_LIST,
  LOOSE_TEXT,
  sampleHeap,
  STACK,
  TYPES,
} from '../samples/sample-heap.ts';
import { PAGE_BYTES, type SampleProcess } from '../samples/sample-process.ts';

const options = { pageBytes: PAGE_BYTES, ownersOf: [200, 201, 202, 203] };

function compareOne(mold: SampleProcess, worker: SampleProcess): WorkerComparison {
  const [comparison] = compare(asSampleReference(mold), [worker], options);
  expect(mold.wronglyRead).toEqual([]);
  expect(worker.wronglyRead).toEqual([]);
  return comparison!;
}

/** Only the counts that are not zero. */
function some(counts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

/** Adds to the 32-bit word around an address, shifted to the byte at the address. */
function add(worker: SampleProcess, at: number, more = 1): void {
  const shift = (at % 4) * 8;
  worker.write32(at - (at % 4), worker.read32(at - (at % 4)) + more * 2 ** shift);
}

/** Places to write, with the expected cause and owner. */
const WRITES = (
  [
    ['a reference count', block('lists', 5) + 16, 'refcount', 'list'],
    ["the collector's list", block('lists', 5), 'gc-header', 'list'],
    ["the other half of the collector's list", block('lists', 5) + 8, 'gc-header', 'list'],
    ['the items of a list', block('lists', 5) + 48, 'payload', 'list'],
    ['a free block', block('lists', FREE_BLOCK) + 8, 'allocator', '(free memory)'],
    ['a block that was never given out', block('lists', 40), 'allocator', '(free memory)'],
    ["a pool's header", ARENA + 8, 'allocator', '(free memory)'],
    ['a hash', block('texts', 3) + 24, 'hash', 'str'],
    ['the text itself', block('texts', 3) + 40, 'payload', 'str'],
    ['the version of a function', block('functions', 3) + 16 + 128, 'specialization', 'function of shop.views'],
    ['the defaults of a function', block('functions', 3) + 16 + 56, 'payload', 'function of shop.views'],
    ['code', block('codes', 1) + 300, 'specialization', 'code'],
    ['the reference count of code', block('codes', 1), 'refcount', 'code'],
    ['the names of a dict', block('tables', 1) + 48, 'payload', '(keys of dicts)'],
    ["the version of a dict's names", block('tables', 1) + 12, 'specialization', '(keys of dicts)'],
    ['the size of a table', block('tables', 1) + 8, 'payload', '(keys of dicts)'],
    ['the size of a chunk', CHUNKS.buffer + 8, 'allocator', '(heap)'],
    ['a free chunk', CHUNKS.free + 512, 'allocator', '(heap)'],
    ['what the heap has left', CHUNKS.end + 512, 'allocator', '(heap)'],
    ['a buffer', CHUNKS.buffer + 32, 'payload', '(heap)'],
    ['a buffer that was empty', HEAP + 2 * PAGE_BYTES + 64, 'payload', '(heap)'],
    ["the names that a class's instances share", CHUNKS.keys + 16 + 16, 'shared-keys', '(keys of dicts)'],
    ['their version', CHUNKS.keys + 16 + 12, 'specialization', '(keys of dicts)'],
    ['the reference count of a class', CHUNKS.row + 32, 'refcount', 'type'],
    ["the collector's list of a class", CHUNKS.row + 24, 'gc-header', 'type'],
    ['the version of a class', CHUNKS.row + 32 + 384, 'specialization', 'type'],
    ['a method of a class', CHUNKS.row + 32 + 256, 'payload', 'type'],
    ['the reference count of a builtin type', LIBRARY + TYPES.list, 'refcount', 'type of builtins'],
    ['the version of a builtin type', LIBRARY + TYPES.list + 384, 'specialization', '(libpython3.13.so.1.0)'],
    [
      'how many versions a builtin type has had',
      LIBRARY + TYPES.dict + 410,
      'specialization',
      '(libpython3.13.so.1.0)',
    ],
    [
      'the flag that its version is valid',
      LIBRARY + TYPES.str + 168,
      'specialization',
      '(libpython3.13.so.1.0)',
      1 << 19,
    ],
    ['a variable of the interpreter', LIBRARY + 2 * PAGE_BYTES, 'native', '(libpython3.13.so.1.0)'],
    ['the stack', STACK, 'native', '(stack)'],
    ['memory of the arena that was no pool yet', LOOSE + 8, 'allocator', '(other anonymous memory)'],
    ['the reference count of an object in it', LOOSE_TEXT, 'refcount', 'str'],
    [
      'what stands before that, which is no list of the collector',
      LOOSE_TEXT - 16,
      'payload',
      '(other anonymous memory)',
    ],
    ["the collector's list of an object in it", LOOSE_LIST, 'gc-header', 'list'],
    ["the other half of the collector's list of an object in it", LOOSE_LIST + 8, 'gc-header', 'list'],
    ['other memory', LOOSE + PAGE_BYTES + 64, 'payload', '(other anonymous memory)'],
  ] satisfies [string, number, Cause, string, number?][]
).map(([what, at, cause, owner, more = 1]) => ({ what, at, cause, owner, more }));

const nameOf = (owner: { module: string | null; type: string } | undefined): string =>
  owner === undefined ? '' : owner.module === null ? owner.type : `${owner.type} of ${owner.module}`;

test.each(WRITES)('$what', ({ at, cause, owner, more }) => {
  const mold = sampleHeap();
  const worker = mold.fork(200);
  add(worker, at, more);
  const comparison = compareOne(mold, worker);
  expect(some(comparison.causes)).toEqual({ [cause]: 1 });
  expect(some(comparison.words)).toEqual({ [cause]: 1 });
  expect(comparison.pages.unshared).toBe(1);
  const first = comparison.owners.find(({ pages }) => pages > 0);
  expect(nameOf(first)).toBe(owner);
  expect(first).toMatchObject({ pages: 1, causes: { [cause]: 1 } });
});

test('pages that were written without a change', () => {
  const mold = sampleHeap();
  const worker = mold.fork(200);
  for (const at of [block('lists', 0), block('texts', 0), HEAP, STACK]) worker.touch(at);
  const { causes, words, owners } = compareOne(mold, worker);
  expect(some(causes)).toEqual({ identical: 4 });
  expect(some(words)).toEqual({});
  // The collector writes to tracked objects; without any, all objects on the page count as written.
  expect(owners.find(({ type }) => type === 'list')!.bystanderBytes).toBe(64);
  expect(some(Object.fromEntries(owners.map((owner) => [nameOf(owner), owner.pages])))).toEqual({
    list: 1,
    str: 1,
    '(heap)': 1,
    '(stack)': 1,
  });
});

test('unwritten neighbors are bystanders, and a free block has no owner', () => {
  const mold = sampleHeap();
  const worker = mold.fork(200);
  add(worker, block('lists', 5) + 16);
  add(worker, block('lists', 6) + 48);
  const { owners, map, ownerNames, words } = compareOne(mold, worker);
  // 20 blocks were handed out, one is free again, and two were written.
  expect(owners).toEqual([{ module: null, type: 'list', pages: 1, causes: { payload: 1 }, bystanderBytes: 17 * 64 }]);
  expect(some(words)).toEqual({ refcount: 1, payload: 1 });
  const arena = map.find(({ region }) => region.start === ARENA)!;
  expect(causeOfCode(arena.codes[0]!)).toBe('payload');
  expect(ownerNames[arena.owners[0]!]).toEqual({ module: null, type: 'list' });
  expect(arena.owners[1]).toBe(-1);
});

test('a block across two pages counts on each with its bytes there', () => {
  const mold = sampleHeap();
  const worker = mold.fork(200);
  // The eighth block begins 48 + 7 × 512 bytes into the pool, and ends 48 bytes into its second page.
  add(worker, block('codes', 7) + 500);
  const { owners, causes, map } = compareOne(mold, worker);
  expect(some(causes)).toEqual({ specialization: 1 });
  expect(map.find(({ region }) => region.start === ARENA)!.codes.findIndex((code) => code >= PAGE_CODES.length)).toBe(
    (3 * 16_384) / PAGE_BYTES + 1,
  );
  expect(owners).toMatchObject([{ type: 'code', pages: 1, bystanderBytes: PAGE_BYTES - 48 }]);
});

test('a region that spans several windows and begins and ends inside of one', () => {
  const mold = sampleHeap();
  const start = 0x7f50_000f_0000;
  mold.map(start, 600);
  // The last page of the first window, and the first of the second and of the third.
  const pages = [0, 15, 16, 272, 599];
  for (const page of pages) mold.write64(start + page * PAGE_BYTES, 5);
  const worker = mold.fork(200);
  for (const [index, page] of pages.entries()) {
    worker.touch(start + page * PAGE_BYTES);
    if (index % 2 === 1) add(worker, start + page * PAGE_BYTES + 8);
  }
  const { map, causes } = compareOne(mold, worker);
  const { codes } = map.find(({ region }) => region.start === start)!;
  expect(pages.map((page) => causeOfCode(codes[page]!))).toEqual([
    'identical',
    'payload',
    'identical',
    'payload',
    'identical',
  ]);
  expect(some(causes)).toEqual({ identical: 3, payload: 2 });
});

test('fresh and released pages are not unshared', () => {
  const mold = sampleHeap();
  const worker = mold.fork(200);
  worker.write64(LOOSE + 5 * PAGE_BYTES, 1);
  worker.map(0x7f40_0000_0000, 3).write64(0x7f40_0000_1000, 1);
  worker.discard(LOOSE);
  const { pages, causes } = compareOne(mold, worker);
  const shared = mold.pages - 1;
  expect(pages).toEqual({ sharedAtFork: shared, shared, unshared: 0, fresh: 2, released: 1 });
  expect(some(causes)).toEqual({});
});

test("the part of a worker's fresh pages similar to another's, for workers whose owners are looked up", () => {
  const mold = sampleHeap();
  const workers = [200, 201, 202].map((pid) => mold.fork(pid));
  const own = 0x7e00_0000_0000;
  for (const [index, worker] of workers.entries()) {
    worker.map(own, 4);
    for (let page = 0; page < 4; page += 1) worker.write64(own + page * PAGE_BYTES, page === 0 ? 7 : 10 * page + index);
  }
  const parts = (of: readonly SampleProcess[], ownersOf: readonly number[]): unknown[] =>
    compare(asSampleReference(mold), of, { ...options, ownersOf }).map(({ freshAlikePart }) => freshAlikePart);
  expect(parts(workers, [200, 202])).toEqual([0.25, null, 0.25]);
  expect(parts(workers.slice(0, 1), [200])).toEqual([null]);
});

test('an unwritten page of a file does not count, and one that the worker has written is fresh', () => {
  const mold = sampleHeap();
  const worker = mold.fork(200);
  worker.write64(LIBRARY + 3 * PAGE_BYTES, 1);
  expect(compareOne(mold, worker).pages).toMatchObject({ unshared: 0, fresh: 1 });
});

test('a page that two workers share without the mold is still shared', () => {
  const mold = sampleHeap();
  const workers = [mold.fork(200), mold.fork(201)];
  add(mold, block('lists', 5) + 16);
  const both = compare(asSampleReference(mold), workers, options);
  expect(both.map(({ pages }) => pages.unshared)).toEqual([0, 0]);
  // The last worker that maps the page has it alone.
  add(workers[1]!, block('lists', 5) + 16, 5);
  const [alone, own] = compare(asSampleReference(mold), workers, options);
  expect([alone!.pages.unshared, own!.pages.unshared]).toEqual([1, 1]);
  expect(some(own!.causes)).toEqual({ refcount: 1 });
});

test('without privileges frames are hidden, and exclusive mapping tells the same', () => {
  const mold = sampleHeap();
  const worker = mold.fork(200);
  add(worker, block('lists', 5) + 16);
  worker.touch(STACK);
  const before = compareOne(mold, worker);
  mold.hidesFrames = true;
  worker.hidesFrames = true;
  expect(compareOne(mold, worker)).toEqual(before);
});

test('a page that disappears while it is read is unknown', () => {
  const mold = sampleHeap();
  const worker = mold.fork(200);
  for (const page of [0, 1, 2]) add(worker, ARENA + page * PAGE_BYTES + 1024);
  worker.unreadable.add(ARENA / PAGE_BYTES + 1);
  const comparison = compareOne(mold, worker);
  expect(comparison.unreadable).toBe(1);
  expect(comparison.pages.unshared).toBe(3);
  expect(comparison.causes.unknown).toBe(1);
});

test('if the heap is not known, pages are identical or unknown, and the stack is native', () => {
  const mold = sampleHeap();
  const worker = mold.fork(200);
  add(worker, block('lists', 5) + 16);
  add(worker, STACK);
  worker.touch(HEAP);
  const reference = { ...asSampleReference(mold), interpreter: null, pools: PoolIndex.none() };
  const [comparison] = compare(reference, [worker], options);
  expect(some(comparison!.causes)).toEqual({ identical: 1, native: 1, unknown: 1 });
});

test("a heap without a chain of chunks, such as another allocator's, is treated as other memory", () => {
  const mold = sampleHeap();
  mold.write64(CHUNKS.buffer + 8, 24);
  const worker = mold.fork(200);
  add(worker, CHUNKS.buffer + 32);
  add(worker, CHUNKS.end + 512);
  expect(some(compareOne(mold, worker).causes)).toEqual({ payload: 2 });
});

test('owners are looked up only if asked for, and causes are the same without', () => {
  const mold = sampleHeap();
  const worker = mold.fork(200);
  for (const { at, more } of WRITES) add(worker, at, more);
  const [without] = compare(asSampleReference(mold), [worker], { ...options, ownersOf: [] });
  const withOwners = compareOne(mold, worker);
  expect(without!.owners).toEqual([]);
  expect([without!.causes, without!.words, without!.pages]).toEqual([
    withOwners.causes,
    withOwners.words,
    withOwners.pages,
  ]);
  const sum = withOwners.owners.reduce((total, { pages }) => total + pages, 0);
  expect(sum).toBeCloseTo(withOwners.pages.unshared);
});

test('a census tells which module holds the written objects', () => {
  const mold = sampleHeap();
  const worker = mold.fork(200);
  add(worker, block('lists', 5) + 48);
  const census = new Census({
    pageBytes: PAGE_BYTES,
    objects: 1,
    names: [{ module: 'shop.data', type: 'list' }],
    pages: Float64Array.of(ARENA / PAGE_BYTES),
    firsts: Uint32Array.of(0, 1),
    owners: Uint32Array.of(0),
    bytes: Uint32Array.of(1280),
  });
  const [comparison] = compare(asSampleReference(mold), [worker], { ...options, census: knownCensus(census) });
  expect(comparison!.owners).toMatchObject([{ module: 'shop.data', type: 'list', pages: 1 }]);
});

test('progress is reported for each window, up to all of them', () => {
  const mold = sampleHeap();
  const worker = mold.fork(200);
  for (const at of [block('lists', 5), STACK, HEAP]) worker.touch(at);
  const told: string[] = [];
  compare(asSampleReference(mold), [worker], {
    ...options,
    onProgress: (done, total) => told.push(`${done} of ${total}`),
  });
  expect(told).toEqual(['1 of 3', '2 of 3', '3 of 3']);
});

test('for any writes each page has its most stubborn cause, and is counted once', () => {
  const write = fc.tuple(fc.nat(3), fc.nat(WRITES.length - 1));
  const others = fc.tuple(fc.nat(3), fc.constantFrom('touch', 'discard'), fc.constantFrom(ARENA, LOOSE, HEAP, STACK));
  fc.assert(
    fc.property(
      fc.uniqueArray(write, { maxLength: 30, selector: String }),
      fc.array(others, { maxLength: 6 }),
      (writes, touches) => {
        const mold = sampleHeap();
        const workers = [200, 201, 202, 203].map((pid) => mold.fork(pid));
        const expected = workers.map(() => new Map<number, Cause>());
        const gone = workers.map(() => new Set<number>());
        for (const [index, what, at] of touches) {
          if (what === 'touch' && !gone[index]!.has(at)) {
            workers[index]!.touch(at);
            expected[index]!.set(at / PAGE_BYTES, 'identical');
          } else if (what === 'discard' && at === LOOSE) {
            workers[index]!.discard(at);
            gone[index]!.add(at);
            expected[index]!.delete(at / PAGE_BYTES);
          }
        }
        for (const [index, number] of writes) {
          const { at, cause, more } = WRITES[number]!;
          const page = Math.floor(at / PAGE_BYTES);
          if (gone[index]!.has(page * PAGE_BYTES)) continue;
          add(workers[index]!, at, more);
          const earlier = expected[index]!.get(page) ?? 'identical';
          expected[index]!.set(page, RANK[cause] > RANK[earlier] ? cause : earlier);
        }
        const total = mold.pages;
        const comparisons = compare(asSampleReference(mold), workers, options);
        for (const [index, { pid, pages, causes, map, owners, unreadable }] of comparisons.entries()) {
          const counts = Object.fromEntries(CAUSE_NAMES.map((cause) => [cause, 0])) as Record<Cause, number>;
          for (const cause of expected[index]!.values()) counts[cause] += 1;
          expect(causes).toEqual(counts);
          expect(pid).toBe(200 + index);
          expect(unreadable).toBe(0);
          expect(pages.unshared).toBe(expected[index]!.size);
          expect(pages.sharedAtFork).toBe(pages.shared + pages.unshared);
          expect(pages.sharedAtFork + pages.released).toBe(total);
          expect(unsharedPages(mold, workers[index]!)).toBe(pages.unshared);
          for (const { region, codes, counts: byCode } of map) {
            const counted = new Uint32Array(byCode.length);
            for (const [page, code] of codes.entries()) {
              counted[code]! += 1;
              expect(causeOfCode(code)).toBe(expected[index]!.get(region.start / PAGE_BYTES + page) ?? null);
            }
            expect(byCode).toEqual(counted);
          }
          expect(owners.reduce((sum, owner) => sum + owner.pages, 0)).toBeCloseTo(pages.unshared);
        }
        expect([mold, ...workers].flatMap(({ wronglyRead }) => wronglyRead)).toEqual([]);
      },
    ),
    { numRuns: 60 },
  );
});

test('any memory is compared without an error', () => {
  const places = [ARENA, ARENA + 16_384, HEAP, CHUNKS.row, LIBRARY, LIBRARY + TYPES.list, LOOSE + PAGE_BYTES];
  const scribble = fc.tuple(
    fc.constantFrom(...places),
    fc.nat(127),
    fc.oneof(
      fc.nat(2 ** 32 - 1),
      fc.nat(64),
      fc.constantFrom(...places).map((at) => at % 2 ** 32),
    ),
  );
  fc.assert(
    fc.property(fc.array(scribble, { maxLength: 40 }), fc.array(scribble, { maxLength: 20 }), (before, after) => {
      const mold = sampleHeap();
      for (const [at, word, value] of before) mold.write32(at + word * 4, value);
      const worker = mold.fork(200);
      for (const [at, word, value] of after) worker.write32(at + word * 4, value);
      const [{ pages, causes, owners }] = compare(asSampleReference(mold), [worker], options) as [WorkerComparison];
      expect(Object.values(causes).reduce((sum, count) => sum + count, 0)).toBe(pages.unshared);
      expect(owners.reduce((sum, owner) => sum + owner.pages, 0)).toBeCloseTo(pages.unshared);
    }),
    { numRuns: 100 },
  );
});

test('the median; the lower one of two', () => {
  const middle = (...numbers: number[]): unknown => medianOf(numbers, (number) => number);
  expect(middle(3, 1, 2)).toBe(2);
  expect(middle(4, 1, 3, 2)).toBe(2);
  expect(middle(5)).toBe(5);
  expect(middle()).toBeUndefined();
});

test('page codes are states, then causes', () => {
  expect(PAGE_CODES.map((_, code) => causeOfCode(code))).toEqual([null, null, null, null]);
  expect(CAUSE_NAMES.map((_, rank) => causeOfCode(PAGE_CODES.length + rank))).toEqual(CAUSE_NAMES);
  expect(causeOfCode(255)).toBeNull();
});
