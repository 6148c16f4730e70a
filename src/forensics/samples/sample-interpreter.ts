/** For tests: a process with objects of CPython 3.13 that refer to one another, and modules that hold them. */
import { POOL_HEADER_BYTES } from '../../cpython/pymalloc.ts';
import { PAGE_BYTES, SampleProcess } from './sample-process.ts';

const DATA = 0x7f10_0000_0000;
const ARENA = 0x7f20_0000_0000;
const POOL_BYTES = 16_384;
const HEADS = DATA + 2 * PAGE_BYTES;
const HEAD_BYTES = 24;
/** The generations, and behind a pointer that of frozen objects. */
const FROZEN = HEADS + 3 * HEAD_BYTES + 8;

const HAVE_GC = 1 << 14;
const SUBCLASS = { dict: 1 << 29, str: 1 << 28, list: 1 << 25, type: 1 << 31 } as const;

/** Static types: flags and basic size. */
const TYPES = {
  type: [HAVE_GC | SUBCLASS.type, 928],
  str: [SUBCLASS.str, 64],
  dict: [HAVE_GC | SUBCLASS.dict, 48],
  list: [HAVE_GC | SUBCLASS.list, 40],
  module: [HAVE_GC, 56],
  function: [HAVE_GC, 160],
  weakref: [HAVE_GC, 64],
  holder: [HAVE_GC, 40],
  plain: [0, 32],
} as const;
/** Where a holder refers to its weak references (`tp_weaklistoffset`). */
export const HOLDER_WEAK_LIST = 32;
export type SampleType = keyof typeof TYPES;

export class SampleInterpreter {
  readonly process = new SampleProcess(100);
  readonly #types = new Map<string, number>();
  readonly #pools = new Map<number, { start: number; used: number }>();
  readonly #strings = new Map<string, number>();
  /** Everything that was allocated: the address and the size of each block. */
  readonly allocations: (readonly [address: number, bytes: number])[] = [];
  #nextPool = ARENA;

  constructor() {
    this.process.map(DATA, 8, { inode: 7, path: '/opt/python/lib/libpython3.13.so.1.0' }).map(ARENA, 256);
    for (const [index, name] of Object.keys(TYPES).entries()) this.#types.set(name, DATA + index * 512);
    for (const [name, [flags, basic]] of Object.entries(TYPES)) this.#writeType(name, flags, basic);
    this.process.write64(this.typeAddress('holder') + 208, HOLDER_WEAK_LIST);
    for (const head of [0, 1, 2]) this.#writeEmptyRing(HEADS + head * HEAD_BYTES);
    this.#writeEmptyRing(FROZEN);
  }

  typeAddress(type: SampleType): number {
    return this.#types.get(type) ?? 0;
  }

  /** Allocates an object and returns its address. Tracked ones are in the oldest generation. */
  object(type: SampleType, isTracked = true): number {
    const [flags, basic] = TYPES[type];
    const prefix = (flags & HAVE_GC) === 0 ? 0 : 16;
    const at = this.allocate(prefix + basic) + prefix;
    this.process.write64(at, 1);
    this.process.write64(at + 8, this.#types.get(type) ?? 0);
    if (prefix > 0 && isTracked) this.#link(at - 16, HEADS + 2 * HEAD_BYTES);
    return at;
  }

  /** Each text once, as interned strings are. */
  text(text: string): number {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    const at = this.allocate(40 + text.length + 1);
    this.process.write64(at, 1);
    this.process.write64(at + 8, this.#types.get('str') ?? 0);
    this.process.write64(at + 16, text.length);
    // Compact, ASCII, one byte a character.
    this.process.write32(at + 32, 64 | 32 | (1 << 2));
    this.process.writeText(at + 40, text);
    this.#strings.set(text, at);
    return at;
  }

  dict(entries: Readonly<Record<string, number>>): number {
    const at = this.object('dict');
    const keys = this.allocate(32 + 16 + 10 * 16);
    const all = Object.entries(entries);
    this.process.write64(keys, 1);
    this.process.write32(keys + 8, 4 | (4 << 8) | (1 << 16));
    this.process.write64(keys + 16, 10 - all.length);
    this.process.write64(keys + 24, all.length);
    for (const [index, [key, value]] of all.entries()) {
      this.process.write64(keys + 48 + index * 16, this.text(key));
      this.process.write64(keys + 48 + index * 16 + 8, value);
    }
    this.process.write64(at + 32, keys);
    return at;
  }

  list(items: readonly number[], isTracked = true): number {
    const at = this.object('list', isTracked);
    const table = this.allocate(Math.max(1, items.length) * 8);
    for (const [index, item] of items.entries()) this.process.write64(table + index * 8, item);
    this.process.write64(at + 16, items.length);
    this.process.write64(at + 24, table);
    this.process.write64(at + 32, items.length);
    return at;
  }

  function(module: string, globals: number): number {
    const at = this.object('function');
    this.process.write64(at + 16, globals);
    this.process.write64(at + 104, this.text(module));
    return at;
  }

  /** An object with a field at 16 that is read by no layout, and one at 24. */
  holder(first: number, second = 0): number {
    const at = this.object('holder');
    this.process.write64(at + 16, first);
    this.process.write64(at + 24, second);
    return at;
  }

  weakref(object: number, callback = 0): number {
    const at = this.object('weakref');
    this.process.write64(at + 16, object);
    this.process.write64(at + 24, callback);
    return at;
  }

  module(name: string, namespace: number): number {
    const at = this.object('module');
    this.process.write64(at + 16, namespace);
    this.process.write64(at + 48, this.text(name));
    return at;
  }

  /** Writes `sys` with these modules, which come first in `sys.modules`. */
  finish(modules: Readonly<Record<string, number>>): void {
    const namespace = this.dict({ modules: 0 });
    const sys = this.module('sys', namespace);
    const all = this.dict({ ...modules, sys });
    const keys = this.#read64(namespace + 32);
    this.process.write64(keys + 48 + 8, all);
  }

  /** Allocates a block. */
  allocate(bytes: number): number {
    const block = Math.ceil(bytes / 16) * 16;
    let pool = this.#pools.get(block);
    if (pool === undefined || POOL_HEADER_BYTES + (pool.used + 1) * block > POOL_BYTES) {
      pool = { start: this.#nextPool, used: 0 };
      this.#nextPool += POOL_BYTES;
      this.#pools.set(block, pool);
      for (let at = 0; at < POOL_BYTES; at += PAGE_BYTES) this.process.touch(pool.start + at);
    }
    const at = pool.start + POOL_HEADER_BYTES + pool.used * block;
    pool.used += 1;
    this.allocations.push([at, block]);
    this.process.write32(pool.start, pool.used);
    this.process.write32(pool.start + 36, block / 16 - 1);
    this.process.write32(pool.start + 40, POOL_HEADER_BYTES + pool.used * block);
    this.process.write32(pool.start + 44, POOL_BYTES - block);
    return at;
  }

  #writeType(name: string, flags: number, basic: number): void {
    const at = this.#types.get(name) ?? 0;
    const nameAt = DATA + 4 * PAGE_BYTES + (at - DATA) / 16;
    this.process.writeText(nameAt, name);
    this.process.write64(at, 1);
    this.process.write64(at + 8, this.#types.get('type') ?? 0);
    this.process.write64(at + 24, nameAt);
    this.process.write64(at + 32, basic);
    this.process.write32(at + 168, flags);
  }

  #writeEmptyRing(head: number): void {
    this.process.write64(head, head);
    this.process.write64(head + 8, head);
  }

  #link(member: number, head: number): void {
    const last = this.#read64(head + 8);
    this.process.write64(last, member);
    this.process.write64(member, head);
    this.process.write64(member + 8, last);
    this.process.write64(head + 8, member);
  }

  #read64(address: number): number {
    return this.process.read32(address + 4) * 2 ** 32 + this.process.read32(address);
  }
}
