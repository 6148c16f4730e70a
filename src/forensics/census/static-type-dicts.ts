/** Finds the dicts of static builtin types, which from 3.12 on the interpreter keeps in a table of its own. */
import { staticTypeState } from '../../cpython/reference-layout.ts';
import type { MemoryImage } from './memory-image.ts';
import type { ObjectFinder } from './object-finder.ts';
import * as kinds from './object-kinds.ts';
import type { ObjectKinds } from './object-kinds.ts';

/**
 * The dicts by the units of their types. The table is in the data of the interpreter: its entries are recognized by a
 * static builtin type, numbers that are 0 or 1, and a dict.
 *
 * @param pieces the parts of the image, by their first unit and the one after the last, that have the interpreter's data
 */
export function staticTypeDicts(
  image: MemoryImage,
  minor: number,
  types: ObjectKinds,
  finder: ObjectFinder,
  pieces: readonly (readonly [first: number, end: number])[],
): Map<number, number> {
  const found = new Map<number, number>();
  if (minor < 12) return found;
  const state = staticTypeState(minor);
  for (const [first, end] of pieces) {
    for (let unit = first; unit < end; unit += 1) {
      if (!state.flags.every((offset) => half(image, unit, offset) <= 1)) continue;
      const type = image.pointee(unit);
      const dict = type === 0 ? 0 : image.pointee(unit + state.dict / 8);
      if (dict === 0 || finder.kindAt(dict)?.references !== kinds.DICT) continue;
      const number = types.numberAt(type);
      if (number >= 0 && types.kindOf(number).isStaticBuiltin && !found.has(type)) found.set(type, dict);
    }
  }
  return found;
}

function half(image: MemoryImage, unit: number, offset: number): number {
  return offset % 8 === 0 ? image.low(unit + offset / 8) : image.high(unit + (offset - 4) / 8);
}
