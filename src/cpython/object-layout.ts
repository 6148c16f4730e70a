/**
 * The offsets of fields in CPython's objects, in bytes, for default builds of 3.9 to 3.15 on 64-bit machines.
 *
 * Sources: Include/object.h, Include/cpython/object.h, Include/cpython/unicodeobject.h, Include/cpython/dictobject.h,
 * Include/internal/pycore_dict.h (before 3.11 Objects/dict-common.h), Include/internal/pycore_gc.h of each version.
 * They are the same in all these versions unless noted otherwise.
 */

export const OBJECT = { refcount: 0, type: 8 } as const;
export const OBJECT_HEAD_BYTES = 16;

/** The collector's header before every object of a type with HAVE_GC: `_gc_next` and `_gc_prev`. */
export const GC_HEAD_BYTES = 16;

/**
 * The pre-header before the collector's header, for instances whose `__dict__` or weak references the interpreter
 * manages (3.11 and newer). 3.11 has the values and the dict there, 3.12 and newer the weak references and the dict.
 */
export const PRE_HEADER_BYTES = 16;

export const TYPE = {
  name: 24,
  flags: 168,
  dict: 264,
  /** tp_version_tag, 32 bits. */
  versionTag: 384,
  /** From 3.12 on tp_watched (8 bits), from 3.13 on followed by tp_versions_used (16 bits); before, a class's slot. */
  versionsUsed: 408,
  /** How much of a type has to be read to identify it. */
  readBytes: 392,
} as const;

/** Include/object.h, Py_TPFLAGS_…; the first two from 3.12 and 3.11 on, zero before. */
export const TYPE_FLAGS = {
  managedWeakref: 1 << 3,
  managedDict: 1 << 4,
  heapType: 1 << 9,
  haveGc: 1 << 14,
  typeSubclass: 1 << 31,
} as const;

export const STRING = {
  length: 16,
  hash: 24,
  state: 32,
  /**
   * Where the characters of a compact string start, of an ASCII string and of any other, which has its length in UTF-8
   * and a pointer to it before them: up to 3.11, where a `wstr` pointer and its length precede them, and from 3.12 on.
   */
  asciiData: [48, 40],
  otherData: [72, 56],
} as const;

/** `func_module` in 3.9, and from 3.10 on, where more fields precede it (Include/cpython/funcobject.h). */
export const FUNCTION_MODULE = [88, 104] as const;

/** `co_filename` in 3.9 and 3.10, and from 3.11 on (Include/cpython/code.h). */
export const CODE_FILENAME = [104, 112] as const;

/**
 * `md_name` of a module (Objects/moduleobject.c; from 3.11 on Include/internal/pycore_moduleobject.h): up to 3.14, and
 * in 3.15, where `md_def` is no longer before it.
 */
export const MODULE_NAME = [48, 40] as const;

export const DICT = { used: 16, keys: 32, values: 40 } as const;
