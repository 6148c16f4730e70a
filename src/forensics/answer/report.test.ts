import { expect, test } from 'vitest';
import type { WorkerComparison } from '../compare/comparison.ts';
import { ownerName, whyReport, type WhyFacts } from './report.ts';
import { sampleComparison, sampleCounts, sampleMap } from '../samples/sample-comparison.ts';

const facts: WhyFacts = {
  takenAt: new Date('2026-01-02T03:04:05Z'),
  seconds: 1.25,
  pageBytes: 4096,
  reference: {
    pid: 100,
    name: 'gunicorn',
    interpreter: 'CPython 3.13.0',
    problem: null,
    is_sibling: false,
    policy: null,
    has_census: false,
    census_problem: null,
    left_out: 0,
  },
  minor: 13,
  collectorCalledBy: null,
  isWarmedUp: false,
  workers: 3,
  comparisons: [sampleComparison()],
};

const owner = (type: string, pages: number, more: object = {}) => ({
  module: null,
  type,
  pages,
  causes: { payload: pages },
  bystanderBytes: 0,
  ...more,
});

test('pages are converted to bytes and to percent of the unshared pages', () => {
  const report = whyReport(facts);
  expect(report).toMatchObject({
    version: 1,
    taken_at: '2026-01-02T03:04:05.000Z',
    seconds: 1.25,
    page_bytes: 4096,
    reference: facts.reference,
    median_pid: 200,
  });
  expect(report.workers[0]).toMatchObject({
    pid: 200,
    shared_at_fork: 1000 * 4096,
    shared: 600 * 4096,
    unshared: 400 * 4096,
    fresh: 50 * 4096,
    released: 5 * 4096,
    unreadable_pages: 0,
  });
  const { causes } = report.workers[0]!;
  expect(causes.identical).toEqual({ pages: 300, bytes: 300 * 4096, percent: 75, words: 0 });
  expect(causes.payload).toEqual({ pages: 100, bytes: 100 * 4096, percent: 25, words: 1234 });
  // Words count on pages of any cause.
  expect(causes.refcount).toEqual({ pages: 0, bytes: 0, percent: 0, words: 5 });
});

test('a worker that has lost nothing has 0 percent', () => {
  const pages = { sharedAtFork: 1000, shared: 1000, unshared: 0, fresh: 0, released: 0 };
  const none = sampleComparison({ pages, causes: sampleCounts() });
  const { workers, advice } = whyReport({ ...facts, comparisons: [none] });
  expect(Object.values(workers[0]!.causes).map(({ percent }) => percent)).toEqual(Array(10).fill(0));
  expect(advice).toEqual([]);
});

test('owners, and their sums by module', () => {
  const owners = [
    owner('dict', 100, { module: 'shop.data', causes: { payload: 60, identical: 40.5 }, bystanderBytes: 12.4 }),
    owner('(heap)', 60),
    owner('list', 20, { module: 'shop.data' }),
  ];
  const [worker] = whyReport({ ...facts, comparisons: [sampleComparison({ owners })] }).workers;
  expect(worker!.owners[0]).toEqual({
    module: 'shop.data',
    type: 'dict',
    bytes: 100 * 4096,
    percent: 25,
    causes: { payload: 60 * 4096, identical: 40.5 * 4096 },
    bystander_bytes: 12,
  });
  expect(worker!.modules.map(({ module, percent }) => [module, percent])).toEqual([
    ['shop.data', 30],
    [null, 15],
  ]);
  expect(worker!.modules[0]!.causes).toEqual({ payload: 80 * 4096, identical: 40.5 * 4096 });
});

test('only the forty largest owners are listed; modules add up all owners', () => {
  const owners = Array.from({ length: 60 }, (_, index) =>
    owner(`type ${index}`, 60 - index, { module: `m${index % 50}` }),
  );
  const [worker] = whyReport({ ...facts, comparisons: [sampleComparison({ owners })] }).workers;
  expect(worker!.owners).toHaveLength(40);
  expect(worker!.owners[39]!.type).toBe('type 39');
  expect(worker!.modules).toHaveLength(40);
  // Includes an owner that is not among the forty.
  expect(worker!.modules[0]).toMatchObject({ module: 'm0', bytes: 70 * 4096 });
});

test('mappings of one name are added up; those that have lost nothing are left out', () => {
  const map = [
    sampleMap(0x1000_0000, '', ['identical', 'shared', 'absent', 'fresh']),
    sampleMap(0x2000_0000, '/opt/lib.so', ['shared', 'shared']),
    sampleMap(0x3000_0000, '', ['identical', 'payload', 'released']),
    sampleMap(0x4000_0000, '[heap]', ['refcount', 'payload', 'payload', 'payload', 'shared']),
  ];
  const [worker] = whyReport({ ...facts, comparisons: [sampleComparison({ map })] }).workers;
  expect(worker!.mappings).toEqual([
    { name: '[heap]', unshared_bytes: 4 * 4096, shared_bytes: 4096, causes: { refcount: 4096, payload: 3 * 4096 } },
    { name: 'anonymous', unshared_bytes: 3 * 4096, shared_bytes: 4096, causes: { identical: 2 * 4096, payload: 4096 } },
  ]);
});

const withUnshared = (pid: number, unshared: number, more: Partial<WorkerComparison> = {}): WorkerComparison =>
  sampleComparison({ pid, pages: { sharedAtFork: 1000, shared: 0, unshared, fresh: 0, released: 0 }, ...more });

test('the median worker is chosen, among those with owners if only some have them', () => {
  const comparisons = [withUnshared(200, 900), withUnshared(201, 100), withUnshared(202, 500)];
  const owned = { owners: [owner('dict', 1)] };
  // The first one if no worker's owners are known, as for programs other than Python.
  expect(whyReport({ ...facts, comparisons }).median_pid).toBe(200);
  expect(whyReport({ ...facts, comparisons: comparisons.map((each) => ({ ...each, ...owned })) }).median_pid).toBe(202);
  const one = [comparisons[0]!, { ...comparisons[1]!, ...owned }, comparisons[2]!];
  expect(whyReport({ ...facts, comparisons: one }).median_pid).toBe(201);
  expect(() => whyReport({ ...facts, comparisons: [] })).toThrow('no worker was looked at');
});

test('advice names the owner written most: a module with a census, a type without', () => {
  const owners = [
    owner('dict', 150, { module: 'shop.data', causes: { identical: 150 } }),
    owner('dict', 60, { module: 'shop.cache' }),
    owner('(heap)', 55),
    owner('Entry', 50, { module: 'shop.cache' }),
  ];
  const texts = (has_census: boolean, more: readonly ReturnType<typeof owner>[] = []): string[] =>
    whyReport({
      ...facts,
      reference: { ...facts.reference, has_census },
      comparisons: [sampleComparison({ owners: [...owners, ...more] })],
    }).advice.flatMap(({ remedy, text }) => (remedy === 'payload' ? [text] : []));
  expect(texts(true)).toEqual([expect.stringMatching(/^shop\.cache is written/)]);
  expect(texts(false)).toEqual([expect.stringMatching(/^dict of shop\.cache is written/)]);
  // Nobody can change memory that no module holds.
  expect(texts(true, [owner('list', 300)])).toEqual(texts(true));
});

test('advice counts all workers, even if not all were looked at', () => {
  const [first] = whyReport(facts).advice;
  expect(first!.bytes_won_in_all).toBe(3 * first!.bytes_won_per_worker);
});

test('names of owners', () => {
  expect(ownerName(null, '(heap)')).toBe('(heap)');
  expect(ownerName('builtins', 'module')).toBe('module');
  expect(ownerName('shop.data', 'dict')).toBe('dict of shop.data');
});
