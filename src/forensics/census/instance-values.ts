/**
 * The attribute values of instances whose `__dict__` the interpreter manages.
 *
 * Sources: Include/internal/pycore_dict.h (struct _dictvalues) and pycore_object.h. In 3.11 and 3.12 the values have a
 * memory block of their own. Bytes before the first value, counted backwards, are: the number of these bytes, the number
 * of values, and the index of each value in the order of their assignment. From 3.13 on the values follow the object;
 * before them are the capacity, the number of values, whether they are part of the object, and whether they are valid.
 */
import { MANAGED } from '../../cpython/reference-layout.ts';
import type { MemoryImage } from './memory-image.ts';
import type { ObjectKind } from './object-kinds.ts';

export class InstanceValues {
  readonly #image: MemoryImage;
  readonly #minor: number;

  constructor(image: MemoryImage, minor: number) {
    this.#image = image;
    this.#minor = minor;
  }

  /** The unit of an instance's values; 0 if it has none, or has them in a dict. */
  of(unit: number, kind: ObjectKind): number {
    if (!kind.hasManagedDict) return 0;
    if (this.#minor === 11) return this.#image.pointee(unit - MANAGED.values311 / 8);
    if (this.#minor === 12) {
      const low = this.#image.low(unit - MANAGED.dict / 8);
      return (low & 1) === 0 ? 0 : this.#image.unitAt(low + 1, this.#image.high(unit - MANAGED.dict / 8));
    }
    if (!kind.hasInlineValues) return 0;
    const values = unit + kind.basicBytes / 8;
    const isValid = this.#image.low(values) >>> 24 === 1;
    return isValid ? values + 1 : 0;
  }

  /** The unit of an instance's dict; 0 if it has none. */
  dictOf(unit: number, kind: ObjectKind): number {
    return kind.hasManagedDict ? this.#image.pointee(unit - MANAGED.dict / 8) : 0;
  }

  /** Calls back with the unit of each value's pointer. */
  each(values: number, visit: (pointer: number) => void): void {
    if (this.#minor >= 13) {
      // What the dict of an instance points to begins with the header; `of` has stepped over it.
      const capacity = this.#image.low(values - 1) & 0xff;
      for (let index = 0; index < capacity; index += 1) visit(values + index);
      return;
    }
    const count = this.#byte(values, 2);
    for (let order = 0; order < count; order += 1) visit(values + this.#byte(values, 3 + order));
  }

  /** The first unit of the block that holds the values of 3.11 and 3.12. */
  blockOf(values: number): number {
    return values - this.#byte(values, 1) / 8;
  }

  /** A byte before the values; the last one is number 1. */
  #byte(values: number, number: number): number {
    const before = Math.ceil(number / 8);
    const unit = values - before;
    const byte = before * 8 - number;
    return ((byte < 4 ? this.#image.low(unit) : this.#image.high(unit)) >>> ((byte & 3) * 8)) & 0xff;
  }
}
