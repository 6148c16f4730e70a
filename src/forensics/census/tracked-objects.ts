/**
 * The objects that the collector tracks, which are linked in rings: one for each generation, and one for frozen objects.
 *
 * Source: Include/internal/pycore_gc.h and Python/gc.c (3.10 to 3.15; before 3.13 Modules/gcmodule.c). A ring has a
 * head, a PyGC_Head that belongs to no object. The heads are close to one another, in the state of the interpreter. The
 * lowest bits of both links are flags.
 */
import type { MemoryImage } from './memory-image.ts';

const HEAD_UNITS = 2;
/** `struct gc_generation`, a head and two ints, has 24 bytes; there are four, and a pointer between two of them. */
const AROUND_UNITS = 16;

/**
 * Calls back with each tracked object.
 *
 * @param member the unit of any tracked object
 * @param isObject whether an object is in a unit
 */
export function visitTracked(
  image: MemoryImage,
  member: number,
  isObject: (unit: number) => boolean,
  visit: (unit: number) => void,
): void {
  const head = headOfRing(image, member - HEAD_UNITS, isObject);
  if (head === 0) return;
  for (let at = head - AROUND_UNITS; at <= head + AROUND_UNITS; at += 1) {
    // A link of a head points to an object, or to the head itself if the ring is empty.
    const first = next(image, at);
    if (first === 0 || first === at || previous(image, first) !== at || !isObject(first + HEAD_UNITS)) continue;
    if (isObject(at + HEAD_UNITS)) continue;
    let each = first;
    for (let count = 0; each !== at && each !== 0 && count < image.units; count += 1) {
      visit(each + HEAD_UNITS);
      each = next(image, each);
    }
  }
}

/**
 * The head of the ring that a member is in; 0 if the links lead nowhere. An object of a type that is not recognized is
 * no head: another head is near the right one, linked with itself or with an object.
 */
function headOfRing(image: MemoryImage, member: number, isObject: (unit: number) => boolean): number {
  let each = member;
  for (let count = 0; count < image.units; count += 1) {
    if (!isObject(each + HEAD_UNITS) && hasHeadsAround(image, each, isObject)) return each;
    each = next(image, each);
    if (each === 0 || each === member) return 0;
  }
  return 0;
}

/** Whether another head is near, as those of the other generations are: linked in both directions, and no object. */
function hasHeadsAround(image: MemoryImage, head: number, isObject: (unit: number) => boolean): boolean {
  for (let other = head - AROUND_UNITS; other <= head + AROUND_UNITS; other += 1) {
    const first = next(image, other);
    if (other === head || first === 0 || previous(image, first) !== other) continue;
    if (next(image, previous(image, other)) === other && !isObject(other + HEAD_UNITS)) return true;
  }
  return false;
}

function next(image: MemoryImage, unit: number): number {
  return image.unitAt(image.low(unit), image.high(unit));
}

function previous(image: MemoryImage, unit: number): number {
  return image.unitAt(image.low(unit + 1), image.high(unit + 1));
}
