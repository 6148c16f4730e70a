import fc from 'fast-check';
import { expect, test } from 'vitest';
import { advise, type AdviceFacts, pagesKept } from './advice.ts';
import { CAUSE_NAMES } from '../pages/causes.ts';
import { sampleCounts } from '../samples/sample-comparison.ts';

const plain: AdviceFacts = {
  causes: sampleCounts({}),
  sharedAtForkPages: 10_000,
  freshPages: 0,
  freshAlikePart: 0.5,
  workers: 4,
  pageBytes: 4096,
  minor: 13,
  policy: null,
  collectorCalledBy: null,
  isWarmedUp: false,
  payloadOwner: null,
};

const remedies = (facts: Partial<AdviceFacts>): string[] => advise({ ...plain, ...facts }).map(({ remedy }) => remedy);

const damaged = sampleCounts({ identical: 5000, 'gc-header': 100, refcount: 800, hash: 20, allocator: 300 });

test('the highest policy that the interpreter supports, with the pages that it would have kept', () => {
  const [best] = advise({ ...plain, causes: damaged });
  expect(best).toMatchObject({
    remedy: 'policy',
    bytes_won_per_worker: 6220 * 4096,
    bytes_won_in_all: 4 * 6220 * 4096,
  });
  expect(best!.text).toContain('prepare("immortal")');
  expect(advise({ ...plain, causes: damaged, minor: 11 })[0]).toMatchObject({ bytes_won_per_worker: 5400 * 4096 });
  expect(advise({ ...plain, causes: damaged, minor: 11 })[0]!.text).toContain('prepare("freeze")');
  expect(pagesKept('freeze', damaged)).toBe(5400);
  expect(pagesKept('immortal', damaged)).toBe(6220);
});

test('a herd is advised to serve with a higher policy, unless it has the highest', () => {
  const policyOf = (policy: string, minor: number | null): string | undefined =>
    advise({ ...plain, causes: damaged, policy, minor }).find(({ remedy }) => remedy === 'policy')?.text;
  expect(policyOf('stock', 13)).toMatch(/^Serve with --policy immortal: /);
  expect(policyOf('freeze', 13)).toMatch(/^Serve with --policy immortal: /);
  expect(policyOf('instagram', 11)).toMatch(/^Serve with --policy freeze: /);
  expect(policyOf('freeze', 11)).toBeUndefined();
  expect(policyOf('immortal', 13)).toBeUndefined();
  // Not Python, or one whose heap is not known.
  expect(policyOf('stock', null)).toBeUndefined();
});

test('each remedy for its cause', () => {
  expect(remedies({ causes: sampleCounts({ identical: 500 }), policy: 'immortal' })).toEqual(['heal']);
  expect(
    remedies({ causes: sampleCounts({ 'gc-header': 500 }), policy: 'immortal', collectorCalledBy: 'msgpack' }),
  ).toEqual(['collector']);
  expect(remedies({ causes: sampleCounts({ specialization: 300, 'shared-keys': 300 }) })).toEqual(['warm-up']);
  expect(remedies({ causes: sampleCounts({ specialization: 600 }), isWarmedUp: true })).toEqual([]);
  expect(remedies({ causes: sampleCounts({ payload: 600 }), payloadOwner: { name: 'shop.data', pages: 600 } })).toEqual(
    ['payload'],
  );
  expect(remedies({ causes: sampleCounts({ native: 5000, unknown: 5000, payload: 5000 }) })).toEqual([]);
});

test("a refork, for similar pages beyond each worker's own memory", () => {
  const own = (4 * 1024 * 1024) / 4096;
  const refork = { causes: sampleCounts({}), freshPages: own + 8000, policy: 'immortal' };
  expect(advise({ ...plain, ...refork })).toMatchObject([
    { remedy: 'refork', bytes_won_per_worker: 3000 * 4096, bytes_won_in_all: 12_000 * 4096 },
  ]);
  expect(remedies({ ...refork, workers: 1 })).toEqual([]);
  expect(remedies({ ...refork, freshPages: own })).toEqual([]);
  expect(remedies({ ...refork, freshAlikePart: null })).toEqual([]);
});

test('another server, which cannot refork, is advised to make the memory before the fork', () => {
  const own = (4 * 1024 * 1024) / 4096;
  const made = { ...plain, causes: sampleCounts({}), freshAlikePart: 0.75 };
  const [loaded] = advise({ ...made, freshPages: own + 80_000 });
  expect(loaded).toMatchObject({ remedy: 'preload', bytes_won_per_worker: 45_000 * 4096 });
  expect(loaded!.text).toMatch(/^Load the application before the fork: gunicorn --preload/);
  const [later] = advise({ ...made, freshPages: own + 8000 });
  expect(later).toMatchObject({ remedy: 'preload', bytes_won_per_worker: 4500 * 4096 });
  expect(later!.text).toMatch(/^Make before the fork what every worker makes/);
});

test('the most valuable advice first, and none below a hundredth of what was shared', () => {
  const facts = {
    causes: sampleCounts({ identical: 1000, specialization: 2000, payload: 3000 }),
    payloadOwner: { name: 'shop.data', pages: 99 },
  };
  expect(remedies(facts)).toEqual(['warm-up', 'policy', 'heal']);
  expect(remedies({ ...facts, payloadOwner: { name: 'shop.data', pages: 100 } })).toContain('payload');
});

test('no advice if nothing was shared', () => {
  expect(remedies({ sharedAtForkPages: 0, policy: 'stock', collectorCalledBy: 'x' })).toEqual([]);
});

test('for any figures, no advice promises more than was lost, and sums cover all workers', () => {
  const pages = fc.nat(5000);
  const facts = fc.record({
    causes: fc.record(Object.fromEntries(CAUSE_NAMES.map((cause) => [cause, pages]))).map(sampleCounts),
    freshPages: pages,
    freshAlikePart: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    workers: fc.integer({ min: 1, max: 40 }),
    minor: fc.constantFrom(null, 9, 11, 12, 15),
    policy: fc.constantFrom(null, 'stock', 'instagram', 'freeze', 'immortal'),
    collectorCalledBy: fc.constantFrom(null, 'msgpack'),
    isWarmedUp: fc.boolean(),
  });
  fc.assert(
    fc.property(facts, (some) => {
      const lost = Object.values(some.causes).reduce((sum, count) => sum + count, 0);
      const advice = advise({ ...plain, ...some, sharedAtForkPages: lost });
      for (const { remedy, bytes_won_per_worker: won, bytes_won_in_all: all } of advice) {
        expect(won).toBeGreaterThan(0);
        expect(won).toBeLessThanOrEqual((remedy === 'refork' || remedy === 'preload' ? some.freshPages : lost) * 4096);
        expect(all).toBe(won * some.workers);
      }
      const won = advice.map((each) => each.bytes_won_per_worker);
      expect(won).toEqual(won.toSorted((a, b) => b - a));
    }),
  );
});
