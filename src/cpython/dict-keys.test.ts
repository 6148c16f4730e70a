import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type KeyTable, parseKeyTable, parseOldKeyTable } from './dict-keys.ts';
import { POOL_HEADER_BYTES } from './pymalloc.ts';
import { address, CAPTURED_VERSIONS, CapturedProcess } from './samples/captured-process.ts';

function parserOf({ minor, isCode }: CapturedProcess) {
  return (words: Uint32Array, first: number, blockBytes: number): KeyTable | null =>
    minor >= 11 ? parseKeyTable(words, first, blockBytes) : parseOldKeyTable(words, first, blockBytes, isCode);
}

describe.each(CAPTURED_VERSIONS)('key tables of %s', (version) => {
  const captured = new CapturedProcess(version);
  const parse = parserOf(captured);
  const isNew = captured.minor >= 11;

  test('dicts with two names, in their pool', () => {
    const { words, blockBytes, blocks } = captured.pool('keys');
    const keys = new Set<string>();
    for (const [block, state] of blocks.entries()) {
      if (state !== '1') continue;
      const first = (POOL_HEADER_BYTES + block * blockBytes) / 4;
      const table = parse(words, first, blockBytes)!;
      expect(table).toEqual({
        isShared: false,
        headerBytes: isNew ? 32 : 40,
        entriesAt: isNew ? 40 : 48,
        entryBytes: isNew ? 16 : 24,
        entries: 2,
      });
      // The names are the same two objects in all tables.
      for (let entry = 0; entry < table.entries; entry += 1) {
        const at = first + (table.entriesAt + entry * table.entryBytes + (isNew ? 0 : 8)) / 4;
        keys.add(`${entry} ${words[at]} ${words[at + 1]}`);
      }
    }
    expect(keys.size).toBe(2);
  });

  test('the shared keys of instances, and a dict with keys of any type', () => {
    expect(parse(captured.words(address(captured.facts.shared_keys), 512), 0, 512)).toMatchObject({
      isShared: true,
      entries: 2,
    });
    expect(parse(captured.words(address(captured.facts.general_keys), 512), 0, 512)).toMatchObject({
      isShared: false,
      entries: 3,
      entryBytes: 24,
    });
  });

  test('a block too small for its entries is not a table', () => {
    const words = captured.words(address(captured.facts.general_keys), 512);
    const { entriesAt, entries, entryBytes } = parse(words, 0, 512)!;
    expect(parse(words, 0, entriesAt + entries * entryBytes)).not.toBeNull();
    expect(parse(words, 0, entriesAt + entries * entryBytes - 16)).toBeNull();
  });

  test.each(['rows', 'bytes'] as const)('objects in the pool of %s are not tables', (name) => {
    const { words, blockBytes, blocks } = captured.pool(name);
    const tables = blocks.map((state, block) =>
      state === '1' ? parse(words, (POOL_HEADER_BYTES + block * blockBytes) / 4, blockBytes) : null,
    );
    expect(tables).toEqual(blocks.map(() => null));
  });

  test('after any change, entries fit into the block', () => {
    const words = captured.words(address(captured.facts.shared_keys), 512);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(11), fc.oneof(fc.nat(300), fc.nat(2 ** 32 - 1))), { maxLength: 3 }),
        fc.integer({ min: 1, max: 32 }),
        (changes, sixteens) => {
          const changed = words.slice();
          for (const [at, value] of changes) changed[at] = value;
          expectSound(parse(changed, 0, sixteens * 16), sixteens * 16);
        },
      ),
      { numRuns: 500 },
    );
  });
});

function expectSound(table: KeyTable | null, blockBytes: number): void {
  if (table === null) return;
  const { headerBytes, entriesAt, entryBytes, entries } = table;
  expect(entriesAt).toBeGreaterThanOrEqual(headerBytes + 8);
  expect(entriesAt + entries * entryBytes).toBeLessThanOrEqual(blockBytes);
}

test('the function pointer of an old table has to point to code', () => {
  const captured = new CapturedProcess('3.10.13');
  const words = captured.words(address(captured.facts.general_keys), 512);
  expect(parseOldKeyTable(words, 0, 512, () => false)).toBeNull();
});

test('the byte after the kind is uninitialized and may have any value', () => {
  const captured = new CapturedProcess('3.13.0');
  const words = captured.words(address(captured.facts.shared_keys), 512);
  expect(words[2]! >>> 24).not.toBe(0);
  for (const byte of [0, 1, 0xff]) {
    words[2] = ((words[2]! & 0xff_ffff) | (byte << 24)) >>> 0;
    expect(parseKeyTable(words, 0, 512)).toMatchObject({ isShared: true, entries: 2 });
  }
});

test('an old table is shared if several dicts have it, or if it contains no values', () => {
  const captured = new CapturedProcess('3.10.13');
  const words = captured.words(address(captured.facts.general_keys), 512);
  const shared = [1, 2, 3].map((references) => {
    words[0] = references;
    return parseOldKeyTable(words, 0, 512, captured.isCode)!.isShared;
  });
  expect(shared).toEqual([false, true, true]);
  words[0] = 1;
  const isShared = (): boolean => parseOldKeyTable(words, 0, 512, captured.isCode)!.isShared;
  for (const entry of [0, 2]) words.fill(0, (48 + entry * 24 + 16) / 4, (48 + entry * 24 + 24) / 4);
  expect(isShared()).toBe(false);
  words.fill(0, (48 + 24 + 16) / 4, (48 + 24 + 24) / 4);
  expect(isShared()).toBe(true);
  // The table of a class that has had no instance yet.
  words[8] = 0;
  expect(isShared()).toBe(true);
});

test('a table with more usable space and entries than its size allows is refused', () => {
  const [old, recent] = [new CapturedProcess('3.10.13'), new CapturedProcess('3.13.0')];
  // Both tables use three of five entries.
  const words = recent.words(address(recent.facts.general_keys), 512);
  words[4] = 2;
  expect(parseKeyTable(words, 0, 512)).not.toBeNull();
  words[4] = 3;
  expect(parseKeyTable(words, 0, 512)).toBeNull();
  const oldWords = old.words(address(old.facts.general_keys), 512);
  oldWords[6] = 2;
  expect(parseOldKeyTable(oldWords, 0, 512, old.isCode)).not.toBeNull();
  oldWords[6] = 3;
  expect(parseOldKeyTable(oldWords, 0, 512, old.isCode)).toBeNull();
});

test('tables of one version are not tables in the layout of another', () => {
  const [old, recent] = [new CapturedProcess('3.10.13'), new CapturedProcess('3.11.7')];
  expect(parseKeyTable(old.words(address(old.facts.general_keys), 512), 0, 512)).toBeNull();
  const words = recent.words(address(recent.facts.general_keys), 512);
  expect(parseOldKeyTable(words, 0, 512, () => true)).toBeNull();
});

test('random words are no table, or one that fits; zeros are no table', () => {
  const word = fc.oneof(fc.nat(9), fc.nat(0xffff), fc.nat(2 ** 32 - 1), fc.constant(0x2_0303));
  fc.assert(
    fc.property(fc.array(word, { minLength: 12, maxLength: 128 }), (random) => {
      const words = Uint32Array.from(random);
      for (let first = 0; first < words.length; first += 2) {
        const bytes = (words.length - first) * 4;
        expectSound(parseKeyTable(words, first, bytes), bytes);
        expectSound(
          parseOldKeyTable(words, first, bytes, () => true),
          bytes,
        );
      }
    }),
    { numRuns: 300 },
  );
  expect(parseKeyTable(new Uint32Array(128), 0, 512)).toBeNull();
  expect(parseOldKeyTable(new Uint32Array(128), 0, 512, () => true)).toBeNull();
});
