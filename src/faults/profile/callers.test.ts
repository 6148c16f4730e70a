import { expect, test } from 'vitest';
import { believable } from './callers.ts';
import type { Frame } from '../perf/perf-script.ts';

const LIBRARY = '/usr/lib/libpython3.13.so.1.0';
const frame = (name: string | null, module: string | null = LIBRARY): Frame => ({
  name,
  address: '10',
  offset: 4,
  module,
});
const names = (frames: readonly Frame[]): (string | null)[] => frames.map(({ name }) => name);

test('a chain that reaches the start of a program is complete', () => {
  const chain = [frame('update_refs'), frame('gc_collect_main'), frame(null), frame('_start', '/usr/bin/python3')];
  expect(believable(chain, false)).toEqual({ frames: chain, whole: true });
});

test('without frame pointers only the innermost function is known', () => {
  const chain = [frame('gc_collect_main'), frame('PyDict_Type'), frame('_PyRuntime')];
  const { frames, whole } = believable(chain, false);
  expect(names(frames)).toEqual(['gc_collect_main']);
  expect(whole).toBe(false);
});

test('an unwound chain is right until its debug data ends', () => {
  const chain = [frame('Py_INCREF', null), frame('_PyEval_EvalFrameDefault'), frame('py::touch:/a.py'), frame(null)];
  expect(names(believable(chain, true).frames)).toEqual(names(chain.slice(0, 3)));
  // Inlined functions show that the chain was unwound.
  expect(names(believable(chain, false).frames)).toEqual(names(chain.slice(0, 3)));
});

test('kernel frames are left out', () => {
  const chain = [frame('exc_page_fault', '[kernel.kallsyms]'), frame('list_resize'), frame('_start')];
  expect(names(believable(chain, false).frames)).toEqual(['list_resize', '_start']);
  expect(believable([], false)).toEqual({ frames: [], whole: false });
});
