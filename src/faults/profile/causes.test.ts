import { expect, test } from 'vitest';
import { causeOf, type FaultCause } from './causes.ts';

const LIBRARY = '/usr/lib/libpython3.13.so.1.0';

const functions: Record<FaultCause, readonly (readonly [name: string, file: string])[]> = {
  collector: [
    ['gc_collect_main', LIBRARY],
    ['deduce_unreachable', '/usr/bin/python3.11'],
    ['subtract_refs.isra.0', LIBRARY],
    ['visit_reachable', LIBRARY],
    ['dict_traverse', LIBRARY],
    ['untrack_tuples', LIBRARY],
    ['collect', '/opt/python/bin/python3.8'],
  ],
  refcount: [
    ['_Py_Dealloc', LIBRARY],
    ['Py_INCREF', LIBRARY],
    ['Py_XDECREF', LIBRARY],
    ['PyStackRef_CLOSE', LIBRARY],
    ['tuple_dealloc.cold', LIBRARY],
    ['PyDict_GetItemRef', LIBRARY],
  ],
  allocator: [
    ['_PyObject_Malloc', LIBRARY],
    ['pymalloc_alloc', LIBRARY],
    ['_int_free', '/usr/lib/libc.so.6'],
    ['unlink_chunk.constprop.0', '/usr/lib/libc.so.6'],
    ['_mi_page_malloc', LIBRARY],
  ],
  interpreter: [
    ['_PyEval_EvalFrameDefault', LIBRARY],
    ['insertdict', LIBRARY],
    ['specialize_something', '/usr/bin/python3.12'],
    ['PyInit_speedups', '/srv/_speedups.cpython-313-x86_64-linux-gnu.so'],
  ],
  other: [
    ['collect', '/usr/lib/libgarden.so'],
    ['inflate', '/usr/lib/libz.so.1'],
    ['[python3.11]', '/usr/bin/python3.11'],
  ],
};

test.each(Object.entries(functions))('%s', (cause, places) => {
  for (const [name, file] of places) expect([name, causeOf([{ name, file }])]).toEqual([name, cause]);
});

test("a function that writes for others has its caller's cause", () => {
  const copy = { name: '__memcpy_avx512_unaligned_erms', file: '/usr/lib/libc.so.6' };
  expect(causeOf([copy, { name: '_int_realloc', file: '/usr/lib/libc.so.6' }])).toBe('allocator');
  expect(causeOf([copy, { name: 'PyBytes_FromStringAndSize', file: LIBRARY }])).toBe('interpreter');
  expect(causeOf([copy])).toBe('other');
  expect(causeOf([])).toBe('other');
});

test("the innermost known function decides: a free within a collection is the allocator's", () => {
  const places = ['pymalloc_free', 'list_dealloc', 'delete_garbage', 'gc_collect_main'];
  expect(causeOf(places.map((name) => ({ name, file: LIBRARY })))).toBe('allocator');
});
