/**
 * Determines the cause of a copy from the function that wrote. Pure.
 *
 * The functions are those of CPython 3.8 to 3.15 and of C libraries' allocators. Sources: Modules/gcmodule.c (up to
 * 3.12), Python/gc.c (3.13 on), Python/gc_free_threading.c; Objects/obmalloc.c; Include/object.h, Include/refcount.h,
 * Include/internal/pycore_object.h and pycore_stackref.h; Objects/mimalloc; glibc's malloc/malloc.c.
 *
 * Inlined functions are known only with `--call-graph dwarf`. Without them a function is listed under reference counts
 * only if counting is all that it writes to existing objects. The evaluation loop counts references, specializes
 * bytecode and stores values, so its cause is the interpreter.
 */

export const FAULT_CAUSES = {
  collector: {
    title: 'collector',
    meaning: 'the garbage collector wrote to the headers of objects, whether they are garbage or not',
    color: '#c2473d',
  },
  refcount: {
    title: 'reference counts',
    meaning: 'an object was looked at or let go, which counts its references',
    color: '#a3660c',
  },
  allocator: {
    title: 'allocator',
    meaning: 'memory was taken or given back on a page that was shared',
    color: '#2f6fa5',
  },
  interpreter: {
    title: 'interpreter',
    meaning: 'Python ran: values were stored, bytecode was specialized, references were counted',
    color: '#3f7a3c',
  },
  other: {
    title: 'other',
    meaning: 'C libraries, extension modules, and what has no name',
    color: '#686d77',
  },
} as const;

export type FaultCause = keyof typeof FAULT_CAUSES;
export const FAULT_CAUSE_NAMES = Object.keys(FAULT_CAUSES) as FaultCause[];

/** A function that a cause is determined from: its name and file. */
export interface NamedPlace {
  readonly name: string;
  readonly file: string;
}

const COLLECTOR = new Set(
  `gc_collect_main gc_collect_generations gc_collect_with_callback gc_collect_young gc_collect_full gc_collect_increment
  gc_collect_region gc_collect_internal gc_collect _PyGC_Collect _PyGC_CollectNoFail PyGC_Collect _Py_RunGC
  collect_with_callback collect_generations deduce_unreachable deduce_unreachable_heap update_refs subtract_refs
  move_unreachable move_legacy_finalizers move_legacy_finalizer_reachable clear_unreachable_mask untrack_tuples
  untrack_dicts _PyTuple_MaybeUntrack _PyDict_MaybeUntrack handle_weakrefs handle_weakref_callbacks clear_weakrefs
  handle_legacy_finalizers handle_resurrected_objects finalize_garbage delete_garbage completed_scavenge
  add_to_container mark_at_start mark_stacks mark_global_roots mark_all_reachable move_all_transitively_reachable
  expand_region_transitively_reachable gc_list_merge gc_list_move gc_list_append gc_list_remove
  gc_list_clear_collecting gc_list_set_space gc_set_old_space gc_reset_refs gc_decref gc_clear_collecting
  gc_set_refs _PyGCHead_SET_PREV _PyGCHead_SET_NEXT _PyGCHead_SET_REFS _PyObject_GC_TRACK _PyObject_GC_UNTRACK
  PyObject_GC_Track PyObject_GC_UnTrack gc_visit_heaps gc_freeze_impl gc_unfreeze_impl
  validate_list validate_refcounts`.split(/\s+/),
);
const COLLECTOR_KINDS =
  /^visit_(decref|reachable|move|add_to_container|clear_unreachable|decref_unreachable)$|_traverse$/;

const REFCOUNT = new Set(
  `_Py_Dealloc _Py_NewRef _Py_XNewRef Py_NewRef Py_XNewRef _Py_DECREF_SPECIALIZED _Py_DECREF_NO_DEALLOC
  _Py_DECREF_INT Py_DECREF_MORTAL Py_DECREF_MORTAL_SPECIALIZED _Py_IncRef _Py_DecRef Py_IncRef Py_DecRef _Py_DecRefShared
  _Py_MergeZeroLocalRefcount _Py_TryIncrefCompare _Py_TryXGetRef
  PyDict_GetItemRef _PyDict_GetItemRef_KnownHash _PyDict_GetItemRef_Unicode_LockHeld _PyDict_LoadGlobal
  _PyDict_LoadGlobalStackRef _PyDict_GetMethodStackRef PyDict_GetItemStringRef dict_subscript dict_get dict_get_impl
  dictiter_iternextkey dictiter_iternextvalue dictiter_iternextitem dictitems_next setiter_iternext
  list_item list_subscript list_slice list_get_item_ref PyList_GetItemRef listiter_next listreviter_next PyList_AsTuple
  tuple_item tupleitem tuplesubscript tupleslice tupleiter_next PyTuple_GetSlice _PyTuple_FromArray PyTuple_FromArray
  PyObject_GenericGetAttr _PyObject_GenericGetAttrWithDict _PyObject_GetMethod _PyObject_GetMethodStackRef
  PyObject_GetAttr PyObject_GetOptionalAttr _PyObject_LookupAttr _PyObject_GetAttrId
  PyMember_GetOne member_get func_descr_get method_get PyMethod_New PyCMethod_New PyIter_Next PyIter_NextItem`.split(
    /\s+/,
  ),
);
const REFCOUNT_KINDS = /^(Py_X?(INCREF|DECREF|CLEAR|SETREF)|PyStackRef_\w+|_PyStackRef_\w+)$|_dealloc$/;

const ALLOCATOR = new Set(
  `pymalloc_alloc pymalloc_free pymalloc_realloc pymalloc_pool_extend new_arena allocate_from_new_pool init_pool
  insert_to_usedpool insert_to_freepool address_in_range arena_map_get arena_map_mark_used arena_map_is_used
  malloc free calloc realloc cfree posix_memalign aligned_alloc memalign sysmalloc malloc_consolidate unlink_chunk
  __libc_malloc __libc_free __libc_calloc __libc_realloc __libc_memalign tcache_put tcache_get tcache_get_n
  tcache_put_n tcache_init alloc_perturb free_perturb systrim malloc_trim`.split(/\s+/),
);
const ALLOCATOR_KINDS =
  /^(_?PyObject_(Malloc|Calloc|Realloc|Free)|_?PyMem_(Raw)?(Malloc|Calloc|Realloc|Free)|_int_(malloc|free|realloc|memalign)|tcache_|_?mi_|je_|tc_|_Py_?freelist_|_PyFreeList_|free_list_items)/i;

/** Functions that write on behalf of their callers. */
const NEUTRAL = /^_*(builtin_)?(mem(cpy|move|set|pcpy)|str(n?cpy|cpy))(_|$)/;

const INTERPRETER_FILE = /(^|\/)(lib)?python\d?[^/]*$/;
const INTERPRETER_NAME = /^_*Py[A-Z_]/;

/** Null if the caller decides. */
function causeOfFunction({ name, file }: NamedPlace): FaultCause | null {
  // Strips the suffixes of gcc's copies of a function: `collect.isra.0`, `tuple_dealloc.cold`.
  const plain = name.replace(/\..*$/s, '').replace(/@.*$/s, '');
  if (COLLECTOR.has(plain) || COLLECTOR_KINDS.test(plain)) return 'collector';
  if (ALLOCATOR.has(plain) || ALLOCATOR_KINDS.test(plain)) return 'allocator';
  if (REFCOUNT.has(plain) || REFCOUNT_KINDS.test(plain)) return 'refcount';
  if (NEUTRAL.test(plain)) return null;
  // Code without symbols can be any function of the file.
  if (name.startsWith('[')) return 'other';
  const isInterpreter = INTERPRETER_FILE.test(file) || INTERPRETER_NAME.test(plain);
  // The collector's main function in 3.8 and older; outside the interpreter the name means nothing.
  if (plain === 'collect' && isInterpreter) return 'collector';
  return isInterpreter ? 'interpreter' : 'other';
}

/** @param places innermost first */
export function causeOf(places: readonly NamedPlace[]): FaultCause {
  for (const place of places) {
    const cause = causeOfFunction(place);
    if (cause !== null) return cause;
  }
  return 'other';
}
