/** Finds on demand what lies in a pool's blocks: objects with their types, key tables of dicts, or other memory. */
import { parseKeyTable, parseOldKeyTable, type KeyTable } from '../../cpython/dict-keys.ts';
import { GC_HEAD_BYTES, OBJECT, PRE_HEADER_BYTES } from '../../cpython/object-layout.ts';
import { POOL_HEADER_BYTES, type Pool } from '../../cpython/pymalloc.ts';
import type { ObjectType, TypeTable } from '../../cpython/types-outside.ts';
import type { MemoryWindow } from '../pages/memory-window.ts';

/** Sizes of an object's prefix: none, the collector's header, or that and the interpreter's pre-header. */
const PREFIXES = [0, GC_HEAD_BYTES, GC_HEAD_BYTES + PRE_HEADER_BYTES];

export interface InspectedInterpreter {
  /** 13 for Python 3.13. */
  readonly minor: number;
  readonly types: TypeTable;
  /** Whether an address is in executable memory. */
  readonly isCode: (address: number) => boolean;
}

export class PoolReading {
  readonly pool: Pool;
  readonly #window: MemoryWindow;
  readonly #interpreter: InspectedInterpreter;
  readonly #types: (ObjectType | null | undefined)[];
  readonly #tables = new Map<number, KeyTable | null>();

  constructor(pool: Pool, window: MemoryWindow, interpreter: InspectedInterpreter) {
    this.pool = pool;
    this.#window = window;
    this.#interpreter = interpreter;
    this.#types = Array.from({ length: pool.capacity });
  }

  /** The number of the block at an address; negative in the header, at least `capacity` in the leftover at the end. */
  blockAt(address: number): number {
    return Math.floor((address - this.pool.address - POOL_HEADER_BYTES) / this.pool.blockBytes);
  }

  startOf(block: number): number {
    return this.pool.address + POOL_HEADER_BYTES + block * this.pool.blockBytes;
  }

  isFree(block: number): boolean {
    return block >= this.pool.capacity || this.pool.free[block] === 1;
  }

  /** The type of the object in a block; null for memory that is not an object. */
  typeOf(block: number): ObjectType | null {
    const known = this.#types[block];
    if (known !== undefined) return known;
    const found = objectIn(this.#window, this.startOf(block), this.pool.blockBytes, this.#interpreter.types);
    this.#types[block] = found;
    return found;
  }

  /** The key table in a block without an object; null for other memory. */
  tableOf(block: number): KeyTable | null {
    const known = this.#tables.get(block);
    if (known !== undefined) return known;
    const found = keyTableIn(this.#window, this.startOf(block), this.pool.blockBytes, this.#interpreter);
    this.#tables.set(block, found);
    return found;
  }
}

/** The type of the object at the start of a piece of memory, after its prefix if it has one. */
export function objectIn(window: MemoryWindow, start: number, length: number, types: TypeTable): ObjectType | null {
  for (const prefix of PREFIXES) {
    if (prefix + OBJECT.type + 8 > length || !window.holds(start + prefix + OBJECT.type)) return null;
    const type = types.at(window.pointer(start + prefix + OBJECT.type));
    if (type !== null && type.prefixBytes === prefix) return type;
  }
  return null;
}

/** The key table of a dict at the start of a piece of memory; null for other memory. */
export function keyTableIn(
  window: MemoryWindow,
  start: number,
  length: number,
  { minor, isCode }: InspectedInterpreter,
): KeyTable | null {
  const first = (start - window.start) / 4;
  return minor >= 11
    ? parseKeyTable(window.words, first, length)
    : parseOldKeyTable(window.words, first, length, isCode);
}
