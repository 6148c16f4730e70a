/** The owner of an object, as far as the object itself says it. */
import { FUNCTION_MODULE, MODULE_NAME } from '../cpython/object-layout.ts';
import type { ObjectType } from '../cpython/types-outside.ts';
import type { MemoryWindow } from './memory-window.ts';
import type { OwnerName } from './owner-name.ts';
import type { Interpreter } from './pool-reading.ts';

const LONGEST_NAME = 256;

/** Whether objects of a type belong to a module of their own, and not to that of the type. */
export function saysItsModule(type: ObjectType): boolean {
  return type.isMetatype || (type.module === 'builtins' && (type.name === 'function' || type.name === 'module'));
}

/** @param start the first byte of the object's memory, its prefix included */
export function objectOwner(
  type: ObjectType,
  start: number,
  window: MemoryWindow,
  interpreter: Interpreter,
): OwnerName {
  const object = start + type.prefixBytes;
  const { types, minor } = interpreter;
  if (type.isMetatype) return { module: types.at(object)?.module ?? null, type: type.name };
  if (type.module !== 'builtins') return { module: type.module, type: type.name };
  const nameAt = type.name === 'function' ? object + FUNCTION_MODULE[minor >= 10 ? 1 : 0] : object + MODULE_NAME;
  const isNamed = type.name === 'function' || type.name === 'module';
  const module = isNamed && window.holds(nameAt) ? types.asciiAt(window.pointer(nameAt), LONGEST_NAME) : null;
  return { module, type: type.name };
}
