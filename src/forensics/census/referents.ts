/**
 * What an object refers to.
 *
 * Dicts, lists, sets, types, code objects, weak references and the attributes of instances are read by their layouts.
 * Of all others each word that is the address of an object is a reference. So no type of an extension has to be known.
 * A word that merely looks like an address of an object is improbable, since an object has a type and a place in a pool.
 */
import {
  CODE_REFERENCES,
  heapTypeFields,
  LIST,
  moduleFields,
  SET,
  TYPE_REFERENCES,
  WEAKREF,
} from '../../cpython/reference-layout.ts';
import { KeyTableReader, keysOf, valuesOf } from './dict-tables.ts';
import type { Extents } from './extents.ts';
import { InstanceValues } from './instance-values.ts';
import type { MemoryImage } from './memory-image.ts';
import * as kinds from './object-kinds.ts';
import type { ObjectKind } from './object-kinds.ts';

/** A larger array is not followed: its size can't be right. */
const MOST_ITEMS = 1 << 28;
/** A module's state is larger in none of CPython's own modules. */
const MOST_STATE_BYTES = 1 << 16;
const DESCR_TYPE_CHAR = 25;
const OBJECTS = 'O'.charCodeAt(0);

export class Referents {
  readonly #image: MemoryImage;
  readonly #minor: number;
  readonly #extents: Extents;
  readonly #staticDicts: ReadonlyMap<number, number>;
  readonly #meet: (unit: number) => void;
  readonly #meetAt: (pointer: number) => void;
  readonly #keys: KeyTableReader;
  readonly #values: InstanceValues;
  readonly #codeReferences: readonly number[];
  readonly #heapTypeReferences: readonly number[];

  /**
   * @param staticDicts the dicts of static builtin types, by the units of the types
   * @param meet called with the unit that a reference points to: maybe no object, maybe one that was met before
   */
  constructor(
    image: MemoryImage,
    minor: number,
    extents: Extents,
    staticDicts: ReadonlyMap<number, number>,
    meet: (unit: number) => void,
  ) {
    this.#image = image;
    this.#minor = minor;
    this.#extents = extents;
    this.#staticDicts = staticDicts;
    this.#meet = meet;
    this.#meetAt = (pointer) => {
      const unit = image.pointee(pointer);
      if (unit !== 0) meet(unit);
    };
    this.#keys = new KeyTableReader(image, minor);
    this.#values = new InstanceValues(image, minor);
    this.#codeReferences = CODE_REFERENCES[minor >= 11 ? 1 : 0];
    this.#heapTypeReferences = heapTypeFields(minor).references;
  }

  /** Meets all that an object refers to. */
  visit(unit: number, kind: ObjectKind): void {
    if (kind.isHeapType) this.#meet(kind.unit);
    switch (kind.references) {
      case kinds.LEAF:
      case kinds.STRING:
      case kinds.INTEGER:
        return;
      case kinds.DICT:
        this.#dict(unit);
        break;
      case kinds.LIST_KIND:
        this.#list(unit);
        break;
      case kinds.SET_KIND:
        this.#set(unit);
        break;
      case kinds.TYPE_KIND:
        this.#type(unit);
        break;
      case kinds.CODE:
        for (const offset of this.#codeReferences) this.#meetAt(unit + offset / 8);
        return;
      case kinds.WEAKREF_KIND:
        this.#meetAt(unit + WEAKREF.callback / 8);
        break;
      case kinds.MODULE:
        this.#moduleState(unit);
        break;
      case kinds.ARRAY:
        this.#array(unit);
        break;
      default:
        break;
    }
    if (kind.hasManagedDict) this.#attributes(unit, kind);
    if (kind.scanFrom > 0) this.#scan(unit, kind);
  }

  #scan(unit: number, kind: ObjectKind): void {
    // Values inside of an instance are read by their layout.
    const bytes = kind.hasInlineValues ? kind.basicBytes : this.#extents.bodyBytes(unit, kind);
    const end = unit + Math.floor(bytes / 8);
    const weakList = kind.weakListUnit === 0 ? 0 : unit + kind.weakListUnit;
    for (let at = unit + kind.scanFrom / 8; at < end; at += 1) if (at !== weakList) this.#meetAt(at);
  }

  #dict(unit: number): void {
    const keys = this.#keys;
    if (!keys.read(keysOf(this.#image, unit))) return;
    const values = valuesOf(this.#image, unit);
    const { firstUnit, entryUnits, keyUnit, entries } = keys;
    for (let entry = 0; entry < entries; entry += 1) {
      const at = firstUnit + entry * entryUnits + keyUnit;
      this.#meetAt(at);
      if (values === 0) this.#meetAt(at + 1);
    }
    if (values === 0) return;
    if (this.#minor >= 11) this.#values.each(this.#minor >= 13 ? values + 1 : values, this.#meetAt);
    else for (let entry = 0; entry < entries; entry += 1) this.#meetAt(values + entry);
  }

  #list(unit: number): void {
    const size = this.#image.value(unit + LIST.size / 8);
    const items = this.#image.pointee(unit + LIST.items / 8);
    if (items === 0 || size > MOST_ITEMS) return;
    for (let item = 0; item < size; item += 1) this.#meetAt(items + item);
  }

  #set(unit: number): void {
    const mask = this.#image.value(unit + SET.mask / 8);
    const table = this.#image.pointee(unit + SET.table / 8);
    if (table === 0 || mask > MOST_ITEMS) return;
    for (let entry = 0; entry <= mask; entry += 1) this.#meetAt(table + entry * 2);
  }

  #type(unit: number): void {
    for (const offset of TYPE_REFERENCES) this.#meetAt(unit + offset / 8);
    const type = this.#extents.kindOfType(unit);
    if (type === null) return;
    if (type.isHeapType) for (const offset of this.#heapTypeReferences) this.#meetAt(unit + offset / 8);
    else this.#meet(this.#staticDicts.get(unit) ?? 0);
  }

  #attributes(unit: number, kind: ObjectKind): void {
    const values = this.#values.of(unit, kind);
    if (values !== 0) this.#values.each(values, this.#meetAt);
    const dict = this.#values.dictOf(unit, kind);
    if (dict !== 0) this.#meet(dict);
  }

  /** The state of a C module holds its types and constants. */
  #moduleState(unit: number): void {
    const fields = moduleFields(this.#minor);
    this.#meetAt(unit + fields.dict / 8);
    this.#meetAt(unit + fields.name / 8);
    const state = this.#image.pointee(unit + fields.state / 8);
    const owner = fields.definition === null ? unit : this.#image.pointee(unit + fields.definition / 8);
    if (state === 0 || owner === 0) return;
    const bytes = this.#image.value(owner + fields.stateSize / 8);
    if (bytes > MOST_STATE_BYTES) return;
    for (let at = 0; at < bytes / 8; at += 1) this.#meetAt(state + at);
  }

  /**
   * The objects in a numpy array: PyArrayObject_fields (numpy/_core/include/numpy/ndarraytypes.h, numpy 1.7 to 2.3) has
   * `data`, `nd`, `dimensions`, `strides`, `base` and `descr` after the header; PyArray_Descr has `type` at 25.
   */
  #array(unit: number): void {
    const descr = this.#image.pointee(unit + 7);
    const data = this.#image.pointee(unit + 2);
    const dimensions = this.#image.pointee(unit + 4);
    const count = this.#image.low(unit + 3) | 0;
    if (descr === 0 || data === 0 || dimensions === 0 || count < 1 || count > 64) return;
    const word = this.#image.low(descr + (DESCR_TYPE_CHAR - 1) / 8);
    if (((word >>> 8) & 0xff) !== OBJECTS) return;
    let size = 1;
    for (let dimension = 0; dimension < count; dimension += 1) size *= this.#image.value(dimensions + dimension);
    // A view with strides is followed as if it had none: what it shows belongs to its base.
    if (size <= MOST_ITEMS) for (let item = 0; item < size; item += 1) this.#meetAt(data + item);
  }
}

/** The value of a key in a dict, a unit; 0 if the dict does not have it. */
export function itemOf(image: MemoryImage, minor: number, dict: number, isKey: (unit: number) => boolean): number {
  const keys = new KeyTableReader(image, minor);
  if (dict === 0 || !keys.read(keysOf(image, dict))) return 0;
  const values = valuesOf(image, dict);
  for (let entry = 0; entry < keys.entries; entry += 1) {
    const at = keys.firstUnit + entry * keys.entryUnits + keys.keyUnit;
    const key = image.pointee(at);
    if (key === 0 || !isKey(key)) continue;
    // The dict of an instance may share its keys with others, and has its values elsewhere.
    return image.pointee(values === 0 ? at + 1 : (minor >= 13 ? values + 1 : values) + entry);
  }
  return 0;
}
