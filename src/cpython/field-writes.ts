/**
 * What a write to a field of an object means, for fields that the interpreter writes by itself; pure.
 *
 * Sources: Include/cpython/object.h (PyTypeObject, PyHeapTypeObject), Include/cpython/funcobject.h (func_version, the
 * last 32 bits of a function), Include/cpython/unicodeobject.h (hash), Python/specialize.c and Objects/typeobject.c
 * (assign_version_tag), Objects/codeobject.c: after a code object was made, only the caches and counters in its code
 * change, and data computed at its first use.
 */
import { STRING, TYPE } from './object-layout.ts';
import type { ObjectType } from './types-outside.ts';

/** A word of 64 bits. */
export interface Word {
  readonly low: number;
  readonly high: number;
}

export type InterpreterWrite = 'hash' | 'specialization';

const VALID_VERSION_TAG = 1 << 19;
/** From here on the only number in a function is its version; the other fields, such as `vectorcall`, are pointers. */
const FUNCTION_VERSION_FROM = 120;
/** From here on, after `ht_module` and the name, a class has `_spec_cache` (3.11 and newer). */
const HEAP_TYPE_CACHES_FROM = 896;

/**
 * @param field the field's offset from the object's reference count, a multiple of 8
 * @param before the field's former 64 bits; `after` is the current ones
 * @returns null for data of the application
 */
export function interpreterWrite(type: ObjectType, field: number, before: Word, after: Word): InterpreterWrite | null {
  if (type.isMetatype) return typeWrite(field, before, after);
  if (type.module !== 'builtins') return null;
  switch (type.name) {
    case 'str':
      return field === STRING.hash ? 'hash' : null;
    case 'code':
      return 'specialization';
    case 'function':
      return field >= FUNCTION_VERSION_FROM && before.high === 0 && after.high === 0 ? 'specialization' : null;
    default:
      return null;
  }
}

/** Fields of a type that the interpreter writes by itself. */
export const TYPE_NUMBERS: readonly number[] = [TYPE.versionTag, TYPE.versionsUsed, TYPE.flags];

/** The same for an object that is a type. */
export function typeWrite(field: number, before: Word, after: Word): InterpreterWrite | null {
  const areNumbers = before.high === 0 && after.high === 0;
  // A version has 32 bits, and the upper half of its word is unused.
  const isVersion = (field === TYPE.versionTag && areNumbers) || field >= HEAP_TYPE_CACHES_FROM;
  const isFlag =
    field === TYPE.flags && before.high === after.high && ((before.low ^ after.low) & ~VALID_VERSION_TAG) === 0;
  // A value here that is not a pointer is the number of versions that the type has had.
  const isCount = field === TYPE.versionsUsed && areNumbers;
  return isVersion || isFlag || isCount ? 'specialization' : null;
}
