/**
 * Where CPython's objects keep references to others, in bytes, for default builds of 3.10 to 3.15 on 64-bit machines.
 *
 * Sources, the same in all these versions unless noted: Include/cpython/listobject.h (PyListObject), setobject.h
 * (PySetObject), weakrefobject.h (Include/weakrefobject.h in 3.10), code.h (PyCodeObject), object.h (PyTypeObject,
 * PyHeapTypeObject), dictobject.h; Include/internal/pycore_dict.h and pycore_object.h.
 */

import { MODULE_NAME } from './object-layout.ts';

/** `basic` is the size of the exact type: what a derived type adds lies behind it. */
export const LIST = { size: 16, items: 24, allocated: 32, basic: 40 } as const;
export const SET = { mask: 32, table: 40, smallTable: 64, basic: 200, entryBytes: 16 } as const;
export const DICT_BASIC_BYTES = 48;

/** Only the callback is a reference. `wr_object` is a weak one, and the rest are the links of a list. */
export const WEAKREF = { callback: 24, basic: [56, 64] } as const;

/** 3.10, and 3.11 to 3.15. */
export const CODE_REFERENCES: readonly [readonly number[], readonly number[]] = [
  // co_code, consts, names, varnames, freevars, cellvars, filename, name, linetable
  [48, 56, 64, 72, 80, 88, 104, 112, 120],
  // co_consts, names, exceptiontable, localsplusnames, localspluskinds, filename, name, qualname, linetable
  [24, 32, 40, 96, 104, 112, 120, 128, 136],
];

/** `tp_base`, `tp_dict`, `tp_bases`, `tp_mro`. */
export const TYPE_REFERENCES: readonly number[] = [256, 264, 336, 344];

export const TYPE_FIELDS = { basicSize: 32, itemSize: 40, weakListOffset: 208, base: 256 } as const;

/** PyTypeObject has 408 bytes in 3.10 and 3.11, 416 in 3.12 to 3.14, and `_tp_iteritem` after that in 3.15. */
export function typeBytes(minor: number): number {
  return minor >= 15 ? 424 : minor >= 12 ? 416 : 408;
}

/** The tables of methods that PyHeapTypeObject has before `ht_name`: 4, 36, 3, 10 and 2 pointers. */
const SLOT_TABLES_BYTES = (4 + 36 + 3 + 10 + 2) * 8;

/** `ht_name` and `ht_qualname`, `ht_slots`, `ht_cached_keys` and `ht_module` of a heap type. */
export function heapTypeFields(minor: number) {
  const name = typeBytes(minor) + SLOT_TABLES_BYTES;
  return { references: [name, name + 8, name + 16, name + 32], cachedKeys: name + 24 } as const;
}

/**
 * The state of a C module, and the field that gives its size: `m_size` of the PyModuleDef at `md_def`, and from 3.15 on
 * `md_state_size` of the module itself (Include/internal/pycore_moduleobject.h, Include/moduleobject.h).
 */
export function moduleFields(minor: number) {
  return minor >= 15
    ? ({ dict: 16, name: MODULE_NAME[1], state: 24, stateSize: 56, definition: null } as const)
    : ({ dict: 16, name: MODULE_NAME[0], state: 32, stateSize: 56, definition: 24 } as const);
}

/** Include/object.h, Py_TPFLAGS_…; `inlineValues` and `staticBuiltin` have no meaning before 3.13 and 3.12. */
export const KIND_FLAGS = {
  staticBuiltin: 1 << 1,
  inlineValues: 1 << 2,
  preHeader: (1 << 3) | (1 << 4),
  managedDict: 1 << 4,
  longSubclass: 1 << 24,
  listSubclass: 1 << 25,
  tupleSubclass: 1 << 26,
  unicodeSubclass: 1 << 28,
  dictSubclass: 1 << 29,
  typeSubclass: 1 << 31,
} as const;

/**
 * What lies before an object whose attributes the interpreter manages, in bytes before the object. 3.11: a pointer to
 * the values and one to the dict. 3.12: a pointer to the dict, or the values' address less 1, which is odd. From 3.13 on
 * a pointer to the dict only; the values follow the object.
 */
export const MANAGED = { values311: 32, dict: 24 } as const;

/**
 * The dict of a static builtin type, which each interpreter has separately from 3.12 on: offsets in
 * `static_builtin_state` (3.12) and `managed_static_type_state` (3.13 and newer), Include/internal/pycore_typeobject.h
 * and, from 3.14 on, pycore_interp_structs.h. `flags` are ints that are 0 or 1.
 */
export function staticTypeState(minor: number): { readonly flags: readonly number[]; readonly dict: number } {
  return minor >= 13 ? { flags: [8, 12, 16], dict: 24 } : { flags: [8, 12], dict: 16 };
}
