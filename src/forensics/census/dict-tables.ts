/** The tables of dicts: where their keys and values are, and how large they are. */
import { DICT } from '../../cpython/object-layout.ts';
import type { MemoryImage } from './memory-image.ts';

/** `dk_kind` of a table with a hash in each entry; others have only strings as keys (Include/internal/pycore_dict.h). */
const GENERAL = 0;
/** Larger tables can't be right. */
const LARGEST_LOG2 = 40;

/** A dict's key table, read once and then reused for the next one, since there are millions. */
export class KeyTableReader {
  /** The first entry, and the units between two; the key is at the entry's `keyUnit`, the value behind it. */
  firstUnit = 0;
  entryUnits = 2;
  keyUnit = 0;
  entries = 0;
  /** The bytes of the whole table. */
  bytes = 0;
  /** How many entries have room. */
  usable = 0;
  /** How many dicts, classes and instances refer to the table. */
  references = 0;
  readonly #image: MemoryImage;
  readonly #isNew: boolean;

  constructor(image: MemoryImage, minor: number) {
    this.#image = image;
    this.#isNew = minor >= 11;
  }

  /** Reads the table in a unit. False if there is none. */
  read(unit: number): boolean {
    if (unit === 0) return false;
    return this.#isNew ? this.#readNew(unit) : this.#readOld(unit);
  }

  /** Calls back with the key and the value of each entry, units of objects; 0 where nothing is. */
  each(visit: (key: number, value: number) => void): void {
    for (let entry = 0; entry < this.entries; entry += 1) {
      const at = this.firstUnit + entry * this.entryUnits + this.keyUnit;
      visit(this.#image.pointee(at), this.#image.pointee(at + 1));
    }
  }

  #readNew(unit: number): boolean {
    const image = this.#image;
    const sizes = image.low(unit + 1);
    const log2 = sizes & 0xff;
    if (log2 > LARGEST_LOG2) return false;
    const indexBytes = 2 ** ((sizes >> 8) & 0xff);
    const isGeneral = ((sizes >> 16) & 0xff) === GENERAL;
    this.references = image.low(unit);
    this.entries = image.low(unit + 3);
    this.usable = usableOf(2 ** log2);
    this.entryUnits = isGeneral ? 3 : 2;
    this.keyUnit = isGeneral ? 1 : 0;
    this.firstUnit = unit + 4 + indexBytes / 8;
    this.bytes = 32 + indexBytes + this.usable * this.entryUnits * 8;
    return this.entries <= this.usable;
  }

  #readOld(unit: number): boolean {
    const size = this.#image.value(unit + 1);
    if (size < 1 || size > 2 ** LARGEST_LOG2) return false;
    const indexBytes = size * (size <= 0xff ? 1 : size <= 0xffff ? 2 : size <= 0xffff_ffff ? 4 : 8);
    this.references = this.#image.low(unit);
    this.entries = this.#image.value(unit + 4);
    this.usable = usableOf(size);
    this.entryUnits = 3;
    this.keyUnit = 1;
    this.firstUnit = unit + 5 + indexBytes / 8;
    this.bytes = 40 + indexBytes + this.usable * 24;
    return this.entries <= this.usable;
  }
}

/** USABLE_FRACTION: two thirds. */
const usableOf = (size: number): number => Math.floor((size * 2) / 3);

/** The unit of a dict's key table. */
export function keysOf(image: MemoryImage, dict: number): number {
  return image.pointee(dict + DICT.keys / 8);
}

/** The unit of the values of a dict that shares its keys; 0 if it has them in its own table. */
export function valuesOf(image: MemoryImage, dict: number): number {
  return image.pointee(dict + DICT.values / 8);
}
