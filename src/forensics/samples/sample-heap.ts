/** For tests: a sample process with a heap of CPython 3.13: types, pools, the C library's heap, and a stack. */
import { TypeTable } from '../../cpython/types-outside.ts';
import type { Mapping } from '../../procfs/maps.ts';
import { mappingAt } from '../../procfs/maps.ts';
import type { Reference } from '../heap/reference.ts';
import { findPools } from '../heap/pool-index.ts';
import { PAGE_BYTES, SampleProcess } from './sample-process.ts';

export const LIBRARY = 0x7f10_0000_0000;
export const ARENA = 0x7f20_0000_0000;
/** Anonymous memory without pools. */
export const LOOSE = 0x7f30_0000_0000;
export const LOOSE_TEXT = LOOSE + PAGE_BYTES + 512;
export const LOOSE_LIST = LOOSE + PAGE_BYTES + 1024;
export const STACK = 0x7ffc_0000_0000;
export const HEAP = 0x5555_5550_0000;
export const HEAP_PAGES = 16;

const POOL_BYTES = 16_384;
const POOL_HEADER_BYTES = 48;

const HAVE_GC = 1 << 14;
const TYPE_SUBCLASS = 1 << 31;
const HEAP_TYPE = 1 << 9;

/** The library's types by offset, 512 bytes each. */
export const TYPES = { type: 0, list: 512, str: 1024, function: 1536, code: 2048, dict: 2560 } as const;
const FLAGS: Record<keyof typeof TYPES, number> = {
  type: HAVE_GC | TYPE_SUBCLASS,
  list: HAVE_GC,
  str: 0,
  function: HAVE_GC,
  code: 0,
  dict: HAVE_GC,
};

export const POOLS = { lists: 0, texts: 1, functions: 2, codes: 3, tables: 4 } as const;

/** The first byte of each chunk in the C library's heap. */
export const CHUNKS = {
  /** A class, after the collector's header. */
  row: HEAP + 0x290,
  keys: HEAP + 0x290 + 0x500,
  buffer: HEAP + 0x290 + 0x500 + 0x400,
  free: HEAP + 3 * PAGE_BYTES,
  end: HEAP + 4 * PAGE_BYTES,
} as const;

/** The address of a block in a pool. */
export function block(pool: keyof typeof POOLS, number: number): number {
  return ARENA + POOLS[pool] * POOL_BYTES + POOL_HEADER_BYTES + number * BLOCK_BYTES[pool];
}

const BLOCK_BYTES: Record<keyof typeof POOLS, number> = {
  lists: 64,
  texts: 64,
  functions: 176,
  codes: 512,
  tables: 128,
};
/** How many blocks were handed out in each pool; the third one is free again. */
export const GIVEN = 20;
export const FREE_BLOCK = 2;
/** This block's list is not tracked by the collector. */
export const UNTRACKED_LIST = 3;

export function sampleHeap(): SampleProcess {
  const process = new SampleProcess(100);
  const library = { inode: 7, path: '/opt/python/lib/libpython3.13.so.1.0' };
  process.map(LIBRARY, 4, library).map(ARENA, 256).map(LOOSE, 8);
  process.map(STACK, 4, { path: '[stack]' }).map(HEAP, HEAP_PAGES, { path: '[heap]' });
  writeTypes(process);
  process.readFile(LIBRARY + 3 * PAGE_BYTES);
  process.write64(LIBRARY + 2 * PAGE_BYTES, 1234);
  for (const pool of Object.keys(POOLS) as (keyof typeof POOLS)[]) writePool(process, pool);
  writeHeap(process);
  for (const at of [0, 3]) process.write64(STACK + at * PAGE_BYTES, 1);
  // One empty page, one page with data; the others are absent.
  process.touch(LOOSE);
  process.write64(LOOSE + PAGE_BYTES + 64, 99);
  WRITERS.texts(process, LOOSE_TEXT);
  WRITERS.lists(process, LOOSE_LIST);
  return process;
}

function writeTypes(process: SampleProcess): void {
  for (const [name, offset] of Object.entries(TYPES) as [keyof typeof TYPES, number][]) {
    const nameAt = LIBRARY + PAGE_BYTES + offset / 16;
    process.writeText(nameAt, name);
    writeType(process, LIBRARY + offset, nameAt, FLAGS[name]);
  }
}

function writeType(process: SampleProcess, at: number, nameAt: number, flags: number): void {
  process.write64(at, 5);
  process.write64(at + 8, LIBRARY + TYPES.type);
  process.write64(at + 24, nameAt);
  process.write32(at + 168, flags);
}

function writePool(process: SampleProcess, pool: keyof typeof POOLS): void {
  const start = ARENA + POOLS[pool] * POOL_BYTES;
  const bytes = BLOCK_BYTES[pool];
  process.write32(start, GIVEN - 1);
  process.write64(start + 8, block(pool, FREE_BLOCK));
  process.write32(start + 36, bytes / 16 - 1);
  process.write32(start + 40, POOL_HEADER_BYTES + GIVEN * bytes);
  process.write32(start + 44, POOL_BYTES - bytes);
  for (let page = 1; page < 4; page += 1) process.touch(start + page * PAGE_BYTES);
  for (let number = 0; number < GIVEN; number += 1) {
    if (number !== FREE_BLOCK) WRITERS[pool](process, block(pool, number));
  }
  if (pool === 'lists') process.write64(block(pool, UNTRACKED_LIST), 0);
}

const WRITERS: Record<keyof typeof POOLS, (process: SampleProcess, at: number) => void> = {
  lists: (process, at) => writeTracked(process, at, 'list'),
  texts: (process, at) => {
    process.write64(at, 3);
    process.write64(at + 8, LIBRARY + TYPES.str);
    process.write64(at + 16, 'shop.views'.length);
    process.write64(at + 24, 2 ** 53 - 1);
    process.write32(at + 32, 0x64);
    process.writeText(at + 40, 'shop.views');
  },
  functions: (process, at) => {
    writeTracked(process, at, 'function');
    process.write64(at + 16 + 104, block('texts', 0));
  },
  codes: (process, at) => {
    process.write64(at, 3);
    process.write64(at + 8, LIBRARY + TYPES.code);
  },
  tables: (process, at) => writeTable(process, at, 3, 1),
};

function writeTracked(process: SampleProcess, at: number, type: keyof typeof TYPES): void {
  process.write64(at, at + 64);
  process.write64(at + 16, 3);
  process.write64(at + 24, LIBRARY + TYPES[type]);
}

/** Writes a key table for strings only; kind 2 is shared by the instances of a class. */
function writeTable(process: SampleProcess, at: number, log2: number, kind: 1 | 2): void {
  process.write64(at, 1);
  process.write32(at + 8, log2 | (log2 << 8) | (kind << 16) | (0x63 << 24));
  process.write64(at + 16, 2);
  process.write64(at + 24, 2);
}

function writeHeap(process: SampleProcess): void {
  for (let page = 0; page < HEAP_PAGES; page += 1) process.touch(HEAP + page * PAGE_BYTES);
  const { row, keys, buffer, free, end } = CHUNKS;
  const starts = [HEAP, row, keys, buffer, free, end, HEAP + HEAP_PAGES * PAGE_BYTES];
  for (const [index, start] of starts.slice(0, -1).entries()) {
    // The chunk before it is in use, except before `end`.
    process.write64(start + 8, (starts[index + 1] ?? 0) - start + (start === end ? 0 : 1));
  }
  const rowType = row + 16 + 16;
  process.write64(row + 16, 1);
  process.write64(row + 24, 1);
  process.writeText(LIBRARY + PAGE_BYTES + 512, 'Row');
  writeType(process, rowType, LIBRARY + PAGE_BYTES + 512, HAVE_GC | HEAP_TYPE);
  writeTable(process, keys + 16, 6, 2);
}

/** The sample process as a reference, with its interpreter. */
export function asSampleReference(process: SampleProcess): Reference {
  const { mappings, memory, pid, entries } = process;
  const regions = mappings
    .filter((mapping) => mapping.private && mapping.writable)
    .map(({ start, end, path, inode }) => ({
      region: { start, end, path, ofFile: inode !== 0 },
      pages: entries(start, end),
    }));
  const pools = findPools(memory, regions, PAGE_BYTES);
  const mappingOf = (address: number): Mapping | null => mappingAt(mappings, address);
  const isMapped = (address: number): boolean => mappingOf(address) !== null;
  const types = new TypeTable(memory, 13, (address) => !pools.has(address) && isMapped(address), isMapped);
  const interpreter = { minor: 13, types, isCode: (address: number) => mappingOf(address)?.executable === true };
  return { pid, mappings, memory, entries, pools, interpreter };
}
