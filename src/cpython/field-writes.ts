/**
 * What a write into a field of an object means, for those fields that the interpreter writes by itself; pure.
 *
 * Sources: Include/cpython/object.h (PyTypeObject, PyHeapTypeObject), Include/cpython/funcobject.h (func_version, the
 * last 32 bits of a function), Include/cpython/unicodeobject.h (hash), Python/specialize.c and Objects/typeobject.c
 * (assign_version_tag), Objects/codeobject.c: all that changes in a code object after it was made are the caches and
 * counters in its code, and what was computed of it at first use.
 */
import { STRING, TYPE } from './object-layout.ts';
import type { ObjectType } from './types-outside.ts';

/** 64 bits. */
export interface Word {
  readonly low: number;
  readonly high: number;
}

export type InterpreterWrite = 'hash' | 'specialization';

const VALID_VERSION_TAG = 1 << 19;
/** From `vectorcall` on a function has only that and its version, in every version of the interpreter. */
const FUNCTION_VERSION_FROM = 120;
/** After `ht_module` and the name: `_spec_cache` of 3.11 and newer. */
const HEAP_TYPE_CACHES_FROM = 896;

/**
 * @param field the field's offset from the object's reference count, a multiple of 8
 * @param before the field's 64 bits as they were, `after` as they are
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

/** Where the interpreter writes into a type by itself. */
export const TYPE_NUMBERS: readonly number[] = [TYPE.versionTag, TYPE.versionsUsed, TYPE.flags];

/** The same for an object that is a type. */
export function typeWrite(field: number, before: Word, after: Word): InterpreterWrite | null {
  const areNumbers = before.high === 0 && after.high === 0;
  // 32 bits, behind which nothing is.
  const isVersion = (field === TYPE.versionTag && areNumbers) || field >= HEAP_TYPE_CACHES_FROM;
  const isFlag =
    field === TYPE.flags && before.high === after.high && ((before.low ^ after.low) & ~VALID_VERSION_TAG) === 0;
  // What is no pointer there is how many versions it has had.
  const isCount = field === TYPE.versionsUsed && areNumbers;
  return isVersion || isFlag || isCount ? 'specialization' : null;
}
