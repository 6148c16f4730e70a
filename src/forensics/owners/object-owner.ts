/** The owner of an object, as far as the object itself tells. */
import { CODE_FILENAME, FUNCTION_MODULE, MODULE_NAME } from '../../cpython/object-layout.ts';
import type { ObjectType } from '../../cpython/types-outside.ts';
import type { MemoryWindow } from '../pages/memory-window.ts';
import type { OwnerName } from './owner-name.ts';
import type { InspectedInterpreter } from '../heap/pool-reading.ts';

const LONGEST_NAME = 256;

/** Builtin types whose objects name their module. */
const NAMED: ReadonlySet<string> = new Set(['function', 'module', 'code']);

/** Whether each object of a type names its own module, which may differ from the type's. */
export function saysItsModule(type: ObjectType): boolean {
  return type.isMetatype || (type.module === 'builtins' && NAMED.has(type.name));
}

/** @param start the first byte of the object's memory, including its prefix */
export function objectOwner(
  type: ObjectType,
  start: number,
  window: MemoryWindow,
  interpreter: InspectedInterpreter,
): OwnerName {
  const object = start + type.prefixBytes;
  const { types, minor } = interpreter;
  if (type.isMetatype) return { module: types.at(object)?.module ?? null, type: type.name };
  if (type.module !== 'builtins') return { module: type.module, type: type.name };
  if (!NAMED.has(type.name)) return { module: null, type: type.name };
  const nameAt = object + offsetOfName(type.name, minor);
  if (!window.holds(nameAt)) return { module: null, type: type.name };
  const name = window.pointer(nameAt);
  const module = type.name === 'code' ? types.moduleOfFileAt(name) : types.nameAt(name, LONGEST_NAME);
  return { module, type: type.name };
}

function offsetOfName(type: string, minor: number): number {
  switch (type) {
    case 'function':
      return FUNCTION_MODULE[minor >= 10 ? 1 : 0];
    case 'code':
      return CODE_FILENAME[minor >= 11 ? 1 : 0];
    default:
      return MODULE_NAME[minor >= 15 ? 1 : 0];
  }
}
