import fc from 'fast-check';
import { deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { CowherdError } from '../../base/errors.ts';
import { CAUSE_NAMES } from '../pages/causes.ts';
import { sampleComparison, sampleMap } from '../samples/sample-comparison.ts';
import { decodeSnapshot, encodeSnapshot, readSnapshot, type Snapshot, snapshotOf } from './snapshot.ts';

const facts = { takenAt: '2026-01-02T03:04:05.000Z', pageBytes: 4096, referencePid: 100 };
const comparisons = [
  sampleComparison({
    map: [
      sampleMap(0x7f12_0000_0000, '', ['absent', 'shared', 'identical', 'payload']),
      sampleMap(0x5555_0000_0000, '[heap]', ['fresh', 'released']),
    ],
  }),
  sampleComparison({ pid: 201 }),
];
const snapshot = snapshotOf(comparisons, facts, (pid) => pid * 10);

test('a look is saved as a state or cause for each page, and nothing else', () => {
  expect(snapshot).toMatchObject(facts);
  const [worker] = snapshot.workers;
  expect(worker).toMatchObject({ pid: 200, startedAt: 2000 });
  expect(
    worker!.regions.map(({ start, codes }) => [start, [...codes].map((code) => snapshot.codeNames[code])]),
  ).toEqual([
    [0x7f12_0000_0000, ['absent', 'shared', 'identical', 'payload']],
    [0x5555_0000_0000, ['fresh', 'released']],
  ]);
  expect(encodeSnapshot(snapshot)).not.toContain('heap');
});

test('a worker that has ended meanwhile is left out', () => {
  expect(snapshotOf(comparisons, facts, (pid) => (pid === 200 ? null : 5)).workers.map(({ pid }) => pid)).toEqual([
    201,
  ]);
});

test('a snapshot is read as it was written', () => {
  const region = fc.record({ start: fc.nat(2 ** 31), codes: fc.uint8Array({ max: 13, maxLength: 200 }) });
  const worker = fc.record({ pid: fc.nat(), startedAt: fc.nat(), regions: fc.array(region, { maxLength: 4 }) });
  fc.assert(
    fc.property(fc.array(worker, { maxLength: 3 }), (workers) => {
      const written: Snapshot = { ...snapshot, workers };
      const read = decodeSnapshot(encodeSnapshot(written), 'x');
      expect(read).toEqual({
        ...written,
        workers: workers.map((each) => ({
          ...each,
          regions: each.regions.map(({ start, codes }) => ({ start, codes: new Uint8Array(codes) })),
        })),
      });
    }),
  );
});

test('names are saved with the codes, so that another order can be read', () => {
  const file = JSON.parse(encodeSnapshot(snapshot)) as { codes: string[] };
  expect(file.codes).toEqual(['absent', 'shared', 'fresh', 'released', ...CAUSE_NAMES]);
  const turned = decodeSnapshot(JSON.stringify({ ...file, codes: file.codes.toReversed() }), 'x');
  expect(turned.codeNames[0]).toBe('payload');
});

function refused(text: string): string {
  try {
    decodeSnapshot(text, 'the-file');
  } catch (error) {
    if (error instanceof CowherdError && error.code === 'SNAPSHOT_UNREADABLE') return error.detail ?? '';
    throw error;
  }
  return 'read';
}

test('a file that is not a snapshot is refused, with its name', () => {
  const file = JSON.parse(encodeSnapshot(snapshot)) as Record<string, unknown>;
  expect(refused(JSON.stringify(file))).toBe('read');
  for (const text of ['', '{', 'null', '[]', '{}', '"x"']) expect(refused(text)).toMatch(/^the-file \(/);
  const wrong: Record<string, unknown>[] = [
    { cowherd_why_snapshot: 2 },
    { page_bytes: 0 },
    { page_bytes: 4096.5 },
    { taken_at: 5 },
    { codes: Array.from({ length: 256 }, String) },
    { workers: [{ pid: 1, started_at: 1, regions: [{ start: 0, pages: 'not deflated' }] }] },
    { workers: [{ pid: 1.5, started_at: 1, regions: [] }] },
    { workers: [{ pid: 1, started_at: 1, regions: [{ start: 'x', pages: '' }] }] },
  ];
  for (const more of wrong)
    expect(refused(JSON.stringify({ ...file, ...more })), JSON.stringify(more)).not.toBe('read');
});

test('a snapshot of another version is refused as such, and a wrong field by its name', () => {
  const file = JSON.parse(encodeSnapshot(snapshot)) as Record<string, unknown>;
  const because = (more: Record<string, unknown>): string => refused(JSON.stringify({ ...file, ...more }));
  for (const version of [0, 2, 77]) {
    expect(because({ cowherd_why_snapshot: version, workers: null })).toBe(
      `the-file (it is a snapshot of version ${version}, not 1)`,
    );
  }
  expect(because({ cowherd_why_snapshot: undefined })).toBe(
    'the-file (it is not a snapshot: cowherd_why_snapshot is missing)',
  );
  expect(because({ page_bytes: 'x' })).toBe('the-file (page_bytes: Expected number but received "x")');
  expect(because({ workers: [{ pid: 1, started_at: 1, regions: [{ start: 'x', pages: '' }] }] })).toBe(
    'the-file (workers.0.regions.0.start: Expected number but received "x")',
  );
  expect(because({ workers: [{ pid: 1, regions: [] }] })).toBe('the-file (workers.0.started_at is missing)');
  expect(because({ added_later: 1 })).toBe('read');
});

test('a damaged snapshot is refused or read', () => {
  const text = encodeSnapshot(snapshot);
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 2 }), (at, instead) => {
      expect(typeof refused(text.slice(0, at) + instead + text.slice(at + 1))).toBe('string');
    }),
    { numRuns: 500 },
  );
});

test('a file that claims too many pages is refused before they are allocated', () => {
  // 40 times 64 MiB of zeros: 2.5 GiB out of 2.6 MB.
  const pages = deflateRawSync(Buffer.alloc(64 << 20)).toString('base64');
  const regions = Array.from({ length: 40 }, () => ({ start: 0, pages }));
  const file = JSON.parse(encodeSnapshot(snapshot)) as object;
  const before = process.memoryUsage.rss();
  const claim = JSON.stringify({ ...file, workers: [{ pid: 1, started_at: 1, regions }] });
  expect(refused(claim)).toMatch(/^the-file \(/);
  expect(process.memoryUsage.rss() - before).toBeLessThan(1 << 30);
  // Inflating a single region that is too large stops at the limit.
  const one = { start: 0, pages: deflateRawSync(Buffer.alloc(300 << 20), { level: 1 }).toString('base64') };
  expect(refused(JSON.stringify({ ...file, workers: [{ pid: 1, started_at: 1, regions: [one] }] }))).toMatch(
    /larger than 268435456 bytes/,
  );
});

test('something that is not a file, or a file that is too large, is refused before it is read', () => {
  for (const place of ['/dev/zero', '/no/such/file', '/proc/self']) {
    expect(() => readSnapshot(place)).toThrow(expect.objectContaining({ code: 'SNAPSHOT_UNREADABLE' }));
  }
});

test('a small file that inflates to many pages is read, up to the limit', () => {
  const pages = deflateRawSync(Buffer.alloc(1_000_000)).toString('base64');
  const file = JSON.parse(encodeSnapshot(snapshot)) as object;
  const workers = [{ pid: 1, started_at: 1, regions: [{ start: 0, pages }] }];
  expect(decodeSnapshot(JSON.stringify({ ...file, workers }), 'x').workers[0]!.regions[0]!.codes).toHaveLength(
    1_000_000,
  );
});
