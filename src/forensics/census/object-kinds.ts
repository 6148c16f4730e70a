/** What a census has to know of a type: where its objects keep references, and how large they are. */
import type { ObjectType, TypeTable } from '../../cpython/types-outside.ts';
import { TYPE } from '../../cpython/object-layout.ts';
import { DICT_BASIC_BYTES, KIND_FLAGS, LIST, SET, TYPE_FIELDS, WEAKREF } from '../../cpython/reference-layout.ts';
import type { CensusBudget } from './census-budget.ts';
import type { MemoryImage } from './memory-image.ts';

/** How an object's references are found. `scan`: every word of it that is the address of an object. */
export const SCAN = 0;
export const LEAF = 1;
export const DICT = 2;
export const LIST_KIND = 3;
export const SET_KIND = 4;
export const TYPE_KIND = 5;
export const CODE = 6;
export const WEAKREF_KIND = 7;
export const MODULE = 8;
export const STRING = 9;
export const INTEGER = 10;
/** Objects whose size is not told by the number at the place of `ob_size`: generators and frames. */
export const FRAME_HOLDER = 11;
export const ARRAY = 12;

export interface ObjectKind {
  readonly number: number;
  readonly unit: number;
  readonly name: string;
  readonly references: number;
  /** Where the fields end that `references` already covers; what a derived type adds is scanned. */
  readonly scanFrom: number;
  readonly prefixUnits: number;
  readonly basicBytes: number;
  readonly itemBytes: number;
  /** The unit of the object that refers to its weak references, which is no reference; 0 if there is none. */
  readonly weakListUnit: number;
  readonly isHeapType: boolean;
  readonly isStaticBuiltin: boolean;
  readonly hasManagedDict: boolean;
  readonly hasInlineValues: boolean;
  readonly isMetatype: boolean;
  readonly isFunction: boolean;
  /** The type itself. */
  readonly type: ObjectType;
}

/** Static types whose objects refer to nothing. */
const LEAVES: ReadonlySet<string> = new Set([
  'bytes',
  'float',
  'complex',
  'bool',
  'NoneType',
  'ellipsis',
  'NotImplementedType',
  'bytearray',
  'PyCapsule',
]);
/** How the references of a builtin type and of those derived from it are found, and where they end. */
const BASES: ReadonlyMap<string, readonly [references: number, scanFrom: number]> = new Map([
  ['dict', [DICT, DICT_BASIC_BYTES]],
  ['frozendict', [DICT, DICT_BASIC_BYTES]],
  ['list', [LIST_KIND, LIST.basic]],
  ['set', [SET_KIND, SET.basic]],
  ['frozenset', [SET_KIND, SET.basic]],
  ['module', [MODULE, 16]],
  ['code', [CODE, 0]],
  ['weakref', [WEAKREF_KIND, WEAKREF.basic[0]]],
  ['ReferenceType', [WEAKREF_KIND, WEAKREF.basic[0]]],
  ['weakproxy', [WEAKREF_KIND, 0]],
  ['ProxyType', [WEAKREF_KIND, 0]],
  ['weakcallableproxy', [WEAKREF_KIND, 0]],
  ['CallableProxyType', [WEAKREF_KIND, 0]],
  ['generator', [FRAME_HOLDER, 16]],
  ['coroutine', [FRAME_HOLDER, 16]],
  ['async_generator', [FRAME_HOLDER, 16]],
  ['frame', [FRAME_HOLDER, 16]],
  ['ndarray', [ARRAY, 16]],
]);
const DEEPEST_BASE = 64;
/** What it costs to look whether a type is at some place, in steps and in memory, for a type and for other places. */
const STEPS_TO_LEARN = 64;
const TYPE_BYTES = 2048;
const NO_TYPE_BYTES = 64;

/** Types by the places where they lie. */
export class ObjectKinds {
  readonly kinds: ObjectKind[] = [];
  readonly #image: MemoryImage;
  readonly #types: TypeTable;
  readonly #minor: number;
  readonly #budget: CensusBudget;
  readonly #mayBeType: (unit: number) => boolean;
  /** A hash table: units, and the numbers of their types plus 1; 0 for a unit that is no type. */
  #units = new Uint32Array(1 << 12);
  #numbers = new Int32Array(1 << 12);
  #used = 0;

  /** @param mayBeType whether a type may be in a unit: it is in no pool, since it is larger than the largest block */
  constructor(
    image: MemoryImage,
    types: TypeTable,
    minor: number,
    budget: CensusBudget,
    mayBeType: (unit: number) => boolean,
  ) {
    this.#image = image;
    this.#types = types;
    this.#minor = minor;
    this.#budget = budget;
    this.#mayBeType = mayBeType;
  }

  /** The number of the type in a unit, the index of its kind; -1 if there is no type. */
  numberAt(unit: number): number {
    const mask = this.#units.length - 1;
    let place = Math.imul(unit, 0x9e37_79b1) >>> 12;
    for (;;) {
      place &= mask;
      const known = this.#units[place];
      if (known === unit) return (this.#numbers[place] ?? 0) - 1;
      if (known === 0) break;
      place += 1;
    }
    if (unit === 0 || !this.#mayBeType(unit)) return -1;
    return this.#learn(unit);
  }

  kindOf(number: number): ObjectKind {
    const kind = this.kinds[number];
    if (kind === undefined) throw new RangeError(`no type ${number}`);
    return kind;
  }

  #learn(unit: number): number {
    this.#budget.spend(STEPS_TO_LEARN);
    const type = this.#types.at(this.#image.addressOf(unit));
    this.#budget.hold(type === null ? NO_TYPE_BYTES : TYPE_BYTES);
    const number = type === null ? -1 : this.kinds.length;
    if (type !== null) this.kinds.push(this.#examine(type, unit, number));
    if (this.#used * 2 > this.#units.length) this.#grow();
    this.#insert(unit, number + 1);
    return number;
  }

  #examine(type: ObjectType, unit: number, number: number): ObjectKind {
    const flags = this.#image.low(unit + TYPE.flags / 8);
    const weakListOffset = this.#image.value(unit + TYPE_FIELDS.weakListOffset / 8);
    const [references, scanFrom] = this.#referencesOf(type, unit, flags);
    return {
      number,
      unit,
      name: type.name,
      references,
      scanFrom,
      prefixUnits: type.prefixBytes / 8,
      basicBytes: this.#image.value(unit + TYPE_FIELDS.basicSize / 8),
      itemBytes: this.#image.value(unit + TYPE_FIELDS.itemSize / 8),
      // Negative for weak references that the interpreter manages, before the object.
      weakListUnit: weakListOffset < 1 << 20 ? weakListOffset / 8 : 0,
      isHeapType: type.isHeapType,
      isStaticBuiltin: this.#minor >= 12 && (flags & KIND_FLAGS.staticBuiltin) !== 0,
      hasManagedDict: this.#minor >= 11 && (flags & KIND_FLAGS.managedDict) !== 0,
      hasInlineValues: this.#minor >= 13 && (flags & KIND_FLAGS.inlineValues) !== 0,
      isMetatype: type.isMetatype,
      isFunction: !type.isHeapType && type.name === 'function' && type.module === 'builtins',
      type,
    };
  }

  #referencesOf(type: ObjectType, unit: number, flags: number): readonly [number, number] {
    if ((flags & KIND_FLAGS.typeSubclass) !== 0) return [TYPE_KIND, 0];
    if (!type.isHeapType) {
      if ((flags & KIND_FLAGS.unicodeSubclass) !== 0) return [STRING, 0];
      if (type.name === 'int' || type.name === 'bool') return [INTEGER, 0];
      if (LEAVES.has(type.name)) return [LEAF, 0];
    }
    let base = unit;
    for (let depth = 0; base !== 0 && depth < DEEPEST_BASE; depth += 1) {
      const each = this.#types.at(this.#image.addressOf(base));
      const found = each === null || each.isHeapType ? undefined : BASES.get(each.name);
      if (found !== undefined) return found;
      base = this.#image.pointee(base + TYPE_FIELDS.base / 8);
    }
    return [SCAN, 16];
  }

  #insert(unit: number, number: number): void {
    const mask = this.#units.length - 1;
    let place = (Math.imul(unit, 0x9e37_79b1) >>> 12) & mask;
    while (this.#units[place] !== 0) place = (place + 1) & mask;
    this.#units[place] = unit;
    this.#numbers[place] = number;
    this.#used += 1;
  }

  #grow(): void {
    const [units, numbers] = [this.#units, this.#numbers];
    this.#units = new Uint32Array(units.length * 2);
    this.#numbers = new Int32Array(units.length * 2);
    this.#used = 0;
    for (const [place, unit] of units.entries()) if (unit !== 0) this.#insert(unit, numbers[place] ?? 0);
  }
}
