/** Tells whether an object begins at a place of the memory. */
import { parsePoolHeader } from '../../cpython/pymalloc.ts';
import { PIECE_UNITS, type MemoryImage } from './memory-image.ts';
import type { ObjectKind, ObjectKinds } from './object-kinds.ts';

/** Pools of CPython 3.10 and newer. */
const POOL_BYTES = 1 << 14;
export const POOL_UNITS = POOL_BYTES / 8;
const POOL_HEADER_UNITS = 6;
const UNKNOWN = 0;
const NO_POOL = 255;

/** The pools in a memory image. */
export class Pools {
  readonly #image: MemoryImage;
  /** By pool-sized place: the block's size in units of 16 bytes, or one of the two above. */
  readonly #blocks: Uint8Array;

  constructor(image: MemoryImage) {
    this.#image = image;
    this.#blocks = new Uint8Array(image.pieces * (PIECE_UNITS / POOL_UNITS));
  }

  /** The size in units of the blocks in the pool around a unit; 0 if there is no pool. */
  blockUnits(unit: number): number {
    const place = Math.floor(unit / POOL_UNITS);
    let found = this.#blocks[place] ?? NO_POOL;
    if (found === UNKNOWN) {
      const header = parsePoolHeader(this.#image.wordsFrom(place * POOL_UNITS), 0, POOL_BYTES);
      found = header === null ? NO_POOL : header.blockBytes / 16;
      this.#blocks[place] = found;
    }
    return found === NO_POOL ? 0 : found * 2;
  }
}

/** The first unit of a block: the remainder of it, counted from the first block of the pool, is zero. */
export function unitInBlock(unit: number, blockUnits: number): number {
  return ((unit % POOL_UNITS) - POOL_HEADER_UNITS) % blockUnits;
}

export class ObjectFinder {
  readonly #image: MemoryImage;
  readonly #pools: Pools;
  readonly #kinds: ObjectKinds;

  constructor(image: MemoryImage, pools: Pools, kinds: ObjectKinds) {
    this.#image = image;
    this.#pools = pools;
    this.#kinds = kinds;
  }

  /**
   * The number of the type of the object in a unit; -1 if no object is there.
   *
   * An object has a reference count and a type. In a pool it also begins where a block does, after the prefix of its
   * type. A freed object has no count: the allocator's link takes its place, or it is zero.
   */
  typeAt(unit: number): number {
    const image = this.#image;
    // The upper half: zero, or from 3.14 on flags above 16 bits that only an overflow uses (Include/refcount.h).
    if (image.low(unit) === 0 || (image.high(unit) & 0xffff) !== 0) return -1;
    const type = image.pointee(unit + 1);
    if (type === 0) return -1;
    const number = this.#kinds.numberAt(type);
    if (number < 0) return -1;
    const blockUnits = this.#pools.blockUnits(unit);
    if (blockUnits === 0) return number;
    const { prefixUnits } = this.#kinds.kindOf(number);
    return unitInBlock(unit - prefixUnits, blockUnits) === 0 ? number : -1;
  }

  /** The kind of the object in a unit; null if no object is there. */
  kindAt(unit: number): ObjectKind | null {
    const number = unit === 0 ? -1 : this.typeAt(unit);
    return number < 0 ? null : this.#kinds.kindOf(number);
  }
}
