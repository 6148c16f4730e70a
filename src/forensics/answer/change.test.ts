import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CAUSE_NAMES } from '../pages/causes.ts';
import { changeBetween } from './change.ts';
import { PAGE_CODES } from '../pages/page-map.ts';
import { sampleComparison, sampleMap } from '../samples/sample-comparison.ts';
import { type Snapshot, snapshotOf } from './snapshot.ts';

type Regions = Record<number, readonly string[]>;

function look(workers: Record<number, Regions>, startedAt: (pid: number) => number = () => 7): Snapshot {
  const comparisons = Object.entries(workers).map(([pid, regions]) =>
    sampleComparison({
      pid: Number(pid),
      map: Object.entries(regions).map(([start, states]) => sampleMap(Number(start), '', states)),
    }),
  );
  return snapshotOf(comparisons, { takenAt: 'earlier', pageBytes: 4096, referencePid: 100 }, startedAt);
}

test('pages lost, regained, and turned to another cause', () => {
  const before = look({
    200: { 0x1000: ['shared', 'shared', 'shared', 'identical', 'identical', 'payload', 'shared'] },
  });
  const after = look({
    200: { 0x1000: ['identical', 'payload', 'payload', 'shared', 'refcount', 'payload', 'shared'] },
  });
  expect(changeBetween(before, after)).toEqual({
    since: 'earlier',
    page_bytes: 4096,
    workers: [
      {
        pid: 200,
        lost: { identical: 1, payload: 2 },
        regained: { identical: 1 },
        turned: { 'identical to refcount': 1 },
      },
    ],
    new_workers: [],
    gone_workers: [],
  });
});

test('pages in only one of the looks, and fresh, absent or released ones, are no change', () => {
  const before = look({ 200: { 0x1000: ['fresh', 'absent', 'released', 'shared'], 0x9_0000: ['shared'] } });
  const after = look({ 200: { 0x1000: ['payload', 'shared', 'identical', 'released'], 0xa_0000: ['payload'] } });
  expect(changeBetween(before, after).workers).toEqual([{ pid: 200, lost: {}, regained: {}, turned: {} }]);
});

test('a region that has grown and begins elsewhere is compared by address', () => {
  const before = look({ 200: { 0x3000: ['shared', 'shared'], 0x8000: ['identical'] } });
  const after = look({ 200: { 0x2000: ['payload', 'payload', 'shared', 'payload', 'payload', 'payload', 'shared'] } });
  expect(changeBetween(before, after).workers).toEqual([
    { pid: 200, lost: { payload: 1 }, regained: { identical: 1 }, turned: {} },
  ]);
});

test('new and gone workers; another process with the same pid is a new one', () => {
  const shared = { 0x1000: ['shared'] };
  const before = look({ 200: shared, 201: shared, 202: shared });
  const after = look({ 201: shared, 202: shared, 203: shared }, (pid) => (pid === 202 ? 99 : 7));
  expect(changeBetween(before, after)).toMatchObject({
    workers: [{ pid: 201 }],
    new_workers: [202, 203],
    gone_workers: [200, 202],
  });
});

test('codes of a look that numbers them in another way', () => {
  const before = look({ 200: { 0x1000: ['shared', 'identical'] } });
  const after = look({ 200: { 0x1000: ['payload', 'shared'] } });
  const turned = (snapshot: Snapshot): Snapshot => ({
    ...snapshot,
    codeNames: snapshot.codeNames.toReversed(),
    workers: snapshot.workers.map((worker) => ({
      ...worker,
      regions: worker.regions.map(({ start, codes }) => ({
        start,
        codes: codes.map((code) => snapshot.codeNames.length - 1 - code),
      })),
    })),
  });
  expect(changeBetween(turned(before), after)).toEqual(changeBetween(before, after));
  // A cause that a later version may have.
  const named = { ...before, codeNames: before.codeNames.map((name) => (name === 'identical' ? 'new' : name)) };
  expect(changeBetween(named, after).workers).toMatchObject([{ lost: { payload: 1 }, regained: {}, turned: {} }]);
});

test('pages that went from shared to a cause, back, or from one cause to another are counted, and no others', () => {
  const state = fc.constantFrom(...PAGE_CODES, ...CAUSE_NAMES);
  fc.assert(
    fc.property(fc.array(fc.tuple(state, state), { maxLength: 40 }), (pages) => {
      const [change] = changeBetween(
        look({ 200: { 0x1000: pages.map(([then]) => then) } }),
        look({ 200: { 0x1000: pages.map(([, now]) => now) } }),
      ).workers;
      const sum = (counts: object): number =>
        Object.values(counts).reduce((total: number, count: number) => total + count, 0);
      const isCause = (name: string): boolean => CAUSE_NAMES.some((cause) => cause === name);
      const { lost, regained, turned } = change!;
      expect([sum(lost), sum(regained), sum(turned)]).toEqual([
        pages.filter(([then, now]) => then === 'shared' && isCause(now)).length,
        pages.filter(([then, now]) => isCause(then) && now === 'shared').length,
        pages.filter(([then, now]) => isCause(then) && isCause(now) && then !== now).length,
      ]);
    }),
  );
});
