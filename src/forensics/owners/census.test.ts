import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CowherdError } from '../../base/errors.ts';
import { type Census, parseCensus } from './census.ts';

interface SampleBlock {
  module: number;
  type: number;
  pages: [page: number, bytes: number][];
}

const facts = {
  page_bytes: 4096,
  vdso: 0x7ffc_0000_1000,
  python_version: '3.13.0',
  objects: 3,
  bytes: 300,
  seconds: 0.5,
};

/** A file as census_file.py writes it. */
function encode(blocks: readonly SampleBlock[], names: Record<string, unknown>): Buffer {
  const parts: Buffer[] = [Buffer.from('cowherd census\0\u0001', 'latin1')];
  for (const { module, type, pages } of blocks) {
    const block = Buffer.alloc(16 + 8 * pages.length);
    block.writeUInt32LE(module, 0);
    block.writeUInt32LE(type, 4);
    block.writeUInt32LE(pages.length, 8);
    for (const [index, [page, bytes]] of pages.entries()) {
      block.writeBigUInt64LE((BigInt(page) << 20n) | BigInt(bytes), 16 + 8 * index);
    }
    parts.push(block);
  }
  const text = Buffer.from(JSON.stringify({ ...facts, ...names }));
  const padding = Buffer.alloc((8 - (text.length % 8)) % 8, ' ');
  const size = Buffer.alloc(4);
  size.writeUInt32LE(text.length + padding.length);
  return sealed(Buffer.concat([...parts, text, padding, size, Buffer.alloc(4)]));
}

/** The file with its checksum corrected. */
function sealed(file: Buffer): Buffer {
  const copy = Buffer.from(file);
  copy.writeUInt32LE(crc32(copy.subarray(0, copy.length - 4)), copy.length - 4);
  return copy;
}

const names = { modules: [null, 'shop.data', 'shop.models'], types: ['dict', 'Row', 'ß'] };
const HIGH_PAGE = 0x7f12_3456_7;
const sample = encode(
  [
    {
      module: 1,
      type: 0,
      pages: [
        [HIGH_PAGE, 1000],
        [16, 64],
      ],
    },
    { module: 0, type: 0, pages: [[HIGH_PAGE, 2000]] },
    { module: 2, type: 1, pages: [] },
    { module: 1, type: 0, pages: [[HIGH_PAGE, 1500]] },
    { module: 2, type: 2, pages: [[HIGH_PAGE, 4096]] },
  ],
  names,
);

test('owners of a page are added up, the largest first', () => {
  const census = parseCensus(sample, 'census-1');
  expect(census.ownersOfPage(HIGH_PAGE * 4096 + 17)).toEqual([
    { module: 'shop.models', type: 'ß', bytes: 4096 },
    { module: 'shop.data', type: 'dict', bytes: 2500 },
    { module: null, type: 'dict', bytes: 2000 },
  ]);
  expect(census.ownersOfPage(16 * 4096)).toEqual([{ module: 'shop.data', type: 'dict', bytes: 64 }]);
  expect(census.ownersOfPage(17 * 4096)).toEqual([]);
  expect(census.pages).toBe(2);
  expect(census.facts).toEqual(facts);
});

test('a file at an odd address in memory', () => {
  const shifted = new Uint8Array(sample.length + 1);
  shifted.set(sample, 1);
  expect(parseCensus(shifted.subarray(1), 'x').pages).toBe(2);
});

test("the agent's census can be read, and only by its owner", () => {
  const folder = mkdtempSync(join(tmpdir(), 'cowherd-census-'));
  try {
    const path = join(folder, 'census');
    const program = [
      'import sys',
      'from cowherd_agent.census import write_census',
      'own = [f"planted {number}" for number in range(20_000)]',
      'import types; planted = types.ModuleType("planted"); planted.own = own; del own',
      'sys.modules["planted"] = planted',
      'sys.modules["ünïcode"] = types.ModuleType("ünïcode")',
      'print(id(planted.own[19_000]), write_census(sys.argv[1]).objects)',
    ].join('\n');
    const root = new URL('../../../', import.meta.url);
    const printed = execFileSync(fileURLToPath(new URL('.venv/bin/python', root)), ['-c', program, path], {
      encoding: 'utf8',
      env: { PYTHONPATH: fileURLToPath(new URL('agent', root)) },
    });
    const [address = 0, objects = 0] = printed.trim().split(' ').map(Number);
    const census = parseCensus(readFileSync(path), path);
    expect(census.facts.objects).toBe(objects);
    expect(census.ownersOfPage(address)[0]).toMatchObject({ module: 'planted', type: 'str' });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a file that is not a census is refused, with its name', () => {
  const refused = (data: Uint8Array): string => {
    try {
      parseCensus(data, 'the-file');
    } catch (error) {
      if (error instanceof CowherdError && error.code === 'CENSUS_UNREADABLE') return error.detail ?? '';
      throw error;
    }
    return 'read';
  };
  expect(refused(new Uint8Array())).toBe('the-file (it is truncated)');
  expect(refused(Buffer.from('{"cowherd_why_snapshot": 1}'))).toBe('the-file (it is not a census)');
  for (const version of [0, 2, 255]) {
    const other = Buffer.from(sample);
    other[15] = version;
    expect(refused(sealed(other))).toBe(`the-file (it is a census of version ${version}, not 1)`);
  }
  expect(refused(encode([{ module: 3, type: 0, pages: [] }], names))).toBe('the-file (it is damaged)');
  expect(refused(encode([{ module: 0, type: 3, pages: [] }], names))).toBe('the-file (it is damaged)');
  const wrongNames: [field: string, value: unknown, expected: string][] = [
    ['page_bytes', 'x', 'page_bytes: Expected number but received "x"'],
    ['types', ['dict', 7], 'types.1: Expected string but received 7'],
    ['objects', -1, 'objects: Invalid value: Expected >=0 but received -1'],
    ['vdso', undefined, 'vdso is missing'],
  ];
  for (const [field, value, expected] of wrongNames) {
    expect(refused(encode([], { ...names, [field]: value }))).toBe(`the-file (${expected})`);
  }
  for (let length = 0; length < sample.length; length += 1) {
    expect(refused(sample.subarray(0, length)), `${length} bytes`).not.toBe('read');
  }
  for (let at = 0; at < sample.length; at += 1) {
    const changed = Buffer.from(sample);
    changed[at] = (changed[at] ?? 0) ^ 4;
    expect(refused(changed), `byte ${at}`).not.toBe('read');
  }
});

test('any content of a file is read or refused', () => {
  const change = fc.record({ at: fc.nat(sample.length - 1), byte: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 8 }), fc.nat(sample.length), fc.boolean(), (changes, length, seal) => {
      const changed = Buffer.from(sample);
      for (const { at, byte } of changes) changed[at] = byte;
      const cut = changed.subarray(0, length);
      // The checksum is right, so that the checks after it are reached.
      const file = seal && cut.length >= 4 ? sealed(cut) : cut;
      try {
        parseCensus(file, 'x').ownersOfPage(HIGH_PAGE * 4096);
      } catch (error) {
        expect(error).toBeInstanceOf(CowherdError);
      }
    }),
    { numRuns: 2000 },
  );
});

test('a census is read as it was written', () => {
  const block = fc.record({
    module: fc.nat(2),
    type: fc.nat(2),
    pages: fc.array(fc.tuple(fc.nat(30), fc.nat(5000)), { maxLength: 10 }),
  });
  fc.assert(
    fc.property(fc.array(block, { maxLength: 20 }), (blocks) => {
      const census = parseCensus(encode(blocks, names), 'x');
      for (let page = 0; page <= 30; page += 1) {
        const expected = new Map<string, number>();
        for (const { module, type, pages } of blocks) {
          for (const [each, bytes] of pages) {
            if (each !== page) continue;
            const key = JSON.stringify([names.modules[module], names.types[type]]);
            expected.set(key, (expected.get(key) ?? 0) + bytes);
          }
        }
        const found = census.ownersOfPage(page * 4096 + 4095);
        expect(new Map(found.map(({ module, type, bytes }) => [JSON.stringify([module, type]), bytes]))).toEqual(
          expected,
        );
      }
    }),
  );
});

test('looking up a page takes no longer among 70,000 pages than among 700', () => {
  const censusOf = (count: number): Census => {
    const pages = Array.from({ length: count }, (_, page): [number, number] => [page, 100]);
    const blocks = Array.from({ length: 6 }, (_, index) => ({ module: index % 3, type: index % 2, pages }));
    return parseCensus(encode(blocks, names), 'x');
  };
  /** CPU time of 70,000 look-ups, the shortest of some rounds. */
  const cpuMs = (census: Census, count: number): number => {
    const rounds = Array.from({ length: 5 }, () => {
      const before = process.cpuUsage();
      let bytes = 0;
      for (let look = 0; look < 70_000; look += 1) bytes += census.ownersOfPage((look % count) * 4096)[0]?.bytes ?? 0;
      expect(bytes).toBe(7_000_000);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    });
    return Math.min(...rounds);
  };
  // A linear search would take a hundred times as long.
  expect(cpuMs(censusOf(70_000), 70_000)).toBeLessThan(20 * cpuMs(censusOf(700), 700));
});
