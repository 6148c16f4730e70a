/** Where an object's memory lies, and that of its table. Sizes are those that `sys.getsizeof` reports. */
import { STRING as STRING_FIELDS } from '../../cpython/object-layout.ts';
import { heapTypeFields, LIST, SET } from '../../cpython/reference-layout.ts';
import { KeyTableReader, keysOf, valuesOf } from './dict-tables.ts';
import { InstanceValues } from './instance-values.ts';
import type { MemoryImage } from './memory-image.ts';
import type { ObjectFinder, Pools } from './object-finder.ts';
import * as kinds from './object-kinds.ts';
import type { ObjectKind, ObjectKinds } from './object-kinds.ts';

/** A larger object is ignored: its size can't be right. */
const LARGEST_BYTES = 2 ** 40;

/** What a table is called, if the object has one. */
export const KEYS = 1;
export const NO_OBJECT = 2;

export class Extents {
  /** The table that {@link table} has found: its first unit and its size. */
  tableUnit = 0;
  tableBytes = 0;
  readonly #image: MemoryImage;
  readonly #minor: number;
  readonly #pools: Pools;
  readonly #kinds: ObjectKinds;
  readonly #finder: ObjectFinder;
  readonly #keys: KeyTableReader;
  readonly #values: InstanceValues;
  readonly #cachedKeysUnits: number;

  constructor(image: MemoryImage, minor: number, pools: Pools, types: ObjectKinds, finder: ObjectFinder) {
    this.#image = image;
    this.#minor = minor;
    this.#pools = pools;
    this.#kinds = types;
    this.#finder = finder;
    this.#keys = new KeyTableReader(image, minor);
    this.#values = new InstanceValues(image, minor);
    this.#cachedKeysUnits = heapTypeFields(minor).cachedKeys / 8;
  }

  /** The kind that a type object stands for; null if it is no type after all. */
  kindOfType(unit: number): ObjectKind | null {
    const number = this.#kinds.numberAt(unit);
    return number < 0 ? null : this.#kinds.kindOf(number);
  }

  /** The kind of the object in a unit; null if no object is there. */
  kindAt(unit: number): ObjectKind | null {
    return this.#finder.kindAt(unit);
  }

  /** The bytes of an object from its reference count on, without its prefix. */
  bodyBytes(unit: number, kind: ObjectKind): number {
    switch (kind.references) {
      case kinds.STRING:
        return this.#stringBytes(unit);
      case kinds.INTEGER:
        return this.#integerBytes(unit);
      case kinds.FRAME_HOLDER:
        return Math.max(kind.basicBytes, this.#restOfBlock(unit, kind));
      default:
        break;
    }
    if (kind.hasInlineValues) return Math.max(kind.basicBytes, this.#restOfBlock(unit, kind));
    if (kind.itemBytes === 0) return kind.basicBytes;
    const items = Math.abs(this.#image.signed(unit + 2));
    const bytes = kind.basicBytes + items * kind.itemBytes;
    return bytes < LARGEST_BYTES ? bytes : kind.basicBytes;
  }

  /** Finds the table of an object, and returns what it is called; 0 if the object has none. */
  table(unit: number, kind: ObjectKind): number {
    switch (kind.references) {
      case kinds.DICT:
        this.#dictTable(unit);
        return KEYS;
      case kinds.LIST_KIND:
        this.#set(this.#image.pointee(unit + LIST.items / 8), this.#image.value(unit + LIST.allocated / 8) * 8);
        return NO_OBJECT;
      case kinds.SET_KIND:
        this.#setTable(unit);
        return NO_OBJECT;
      case kinds.TYPE_KIND:
        this.#typeTable(unit);
        return KEYS;
      default:
        if (!kind.hasManagedDict || this.#minor >= 13) return 0;
        this.#valuesTable(unit, kind);
        return NO_OBJECT;
    }
  }

  #set(unit: number, size: number): void {
    this.tableUnit = unit;
    this.tableBytes = unit === 0 || size > LARGEST_BYTES ? 0 : size;
  }

  /** A table that other dicts share is not this dict's, and neither are values inside of an instance. */
  #dictTable(unit: number): void {
    const table = keysOf(this.#image, unit);
    const isTable = this.#keys.read(table);
    const values = valuesOf(this.#image, unit);
    if (!isTable) this.#set(0, 0);
    else if (values === 0) this.#set(table, this.#keys.references === 1 ? this.#keys.bytes : 0);
    else if (this.#minor <= 10) this.#set(values, this.#keys.usable * 8);
    else if (this.#minor >= 13) this.#set(0, 0);
    else this.#blockTable(this.#values.blockOf(values));
  }

  #blockTable(block: number): void {
    this.#set(block, this.#pools.blockUnits(block) * 8);
  }

  #setTable(unit: number): void {
    const table = this.#image.pointee(unit + SET.table / 8);
    const isSmall = table === unit + SET.smallTable / 8;
    this.#set(table, isSmall ? 0 : (this.#image.value(unit + SET.mask / 8) + 1) * SET.entryBytes);
  }

  #typeTable(unit: number): void {
    const type = this.kindOfType(unit);
    const table = type?.isHeapType === true ? this.#image.pointee(unit + this.#cachedKeysUnits) : 0;
    this.#set(table, this.#keys.read(table) ? this.#keys.bytes : 0);
  }

  #valuesTable(unit: number, kind: ObjectKind): void {
    const values = this.#values.of(unit, kind);
    if (values === 0) this.#set(0, 0);
    else this.#blockTable(this.#values.blockOf(values));
  }

  /** PyASCIIObject, PyCompactUnicodeObject and PyUnicodeObject (Include/cpython/unicodeobject.h). */
  #stringBytes(unit: number): number {
    const length = this.#image.value(unit + STRING_FIELDS.length / 8);
    const state = this.#image.low(unit + STRING_FIELDS.state / 8);
    const [kind, isCompact, isAscii] = [(state >> 2) & 7, (state & 32) !== 0, (state & 64) !== 0];
    const ascii = this.#minor >= 12 ? 40 : 48;
    if (!isCompact) return this.#minor >= 12 ? 64 : 80;
    const bytes = isAscii ? ascii + length + 1 : ascii + (this.#minor >= 12 ? 16 : 24) + (length + 1) * kind;
    return bytes < LARGEST_BYTES ? bytes : ascii;
  }

  /** `ob_size` before 3.12, `lv_tag` from then on, whose lowest three bits are flags (Include/cpython/longintrepr.h). */
  #integerBytes(unit: number): number {
    const word = this.#image.signed(unit + 2);
    const digits = this.#minor >= 12 ? Math.floor(word / 8) : Math.abs(word);
    return 24 + Math.max(1, digits) * 4;
  }

  #restOfBlock(unit: number, kind: ObjectKind): number {
    const blockUnits = this.#pools.blockUnits(unit);
    return Math.max(0, blockUnits - kind.prefixUnits) * 8;
  }
}
