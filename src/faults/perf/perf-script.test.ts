import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PerfScriptParser, type Sample } from './perf-script.ts';

interface Read {
  samples: Sample[];
  lost: { count: number; kind: 'ring' | 'total' }[];
  unreadable: number[];
  whole: boolean;
}

/** @param chunk how many characters to push at a time */
function read(text: string, chunk = text.length): Read {
  const found: Read = { samples: [], lost: [], unreadable: [], whole: true };
  const parser = new PerfScriptParser({
    onSample: (sample) => found.samples.push(sample),
    onLost: (count, kind) => found.lost.push({ count, kind }),
    onUnreadable: (_line, number) => found.unreadable.push(number),
  });
  for (let at = 0; at < text.length; at += Math.max(1, chunk)) parser.push(text.slice(at, at + Math.max(1, chunk)));
  found.whole = parser.end();
  return found;
}

const capture = (name: string): string =>
  readFileSync(path.join(import.meta.dirname, '../captures', `${name}.txt`), 'utf8');

test('the default output of perf script', () => {
  const { samples, unreadable, whole } = read(capture('default-fields'));
  expect(unreadable).toEqual([]);
  expect(whole).toBe(true);
  expect(samples).toHaveLength(7);
  expect(samples[0]).toEqual({
    command: 'python',
    pid: 13437,
    seconds: 3302.65746,
    event: 'exceptions:page_fault_user',
    faultAddress: 0x7fe79dfe70b0,
    errorCode: 7,
    frames: [
      { name: 'exc_page_fault', address: 'ffffffff821f31c0', offset: 0x2f0, module: '[kernel.kallsyms]' },
      { name: 'asm_exc_page_fault', address: 'ffffffff81000c82', offset: 0x22, module: '[kernel.kallsyms]' },
      { name: 'PyDict_GetItemRef', address: '13bef7', offset: 0x67, module: '/usr/lib/libpython3.13.so.1.0' },
      { name: 'PyDict_Type', address: '500440', offset: 0, module: '/usr/lib/libpython3.13.so.1.0' },
    ],
  });
  expect(samples.map(({ errorCode }) => errorCode)).toContain(0x14);
  expect(samples.at(-1)?.frames.at(-1)).toEqual({
    name: null,
    address: '7fe79dfa0000',
    offset: null,
    module: '//anon',
  });
});

test('its output with our fields: inlined functions, Python functions, and lost samples', () => {
  const { samples, lost, unreadable } = read(capture('unwound'));
  expect(unreadable).toEqual([]);
  expect(samples).toHaveLength(5);
  expect(lost).toEqual([
    { count: 304, kind: 'ring' },
    { count: 3, kind: 'ring' },
  ]);
  expect(samples[0]).toMatchObject({ pid: 13872, seconds: 3327.658882586, faultAddress: null, errorCode: null });
  expect(samples[2]?.frames.map(({ name, module }) => [name, module])).toEqual([
    ['Py_INCREF', null],
    ['_PyEval_EvalFrameDefault', '/usr/lib/libpython3.13.so.1.0'],
    ['py::touch:/srv/shop/touch.py', '/tmp/perf-13872.map'],
  ]);
});

describe('a head line', () => {
  const heads: Record<string, Partial<Sample>> = {
    'Web Content 7/9  12.000000001: page-faults:u:     7f86c75070b0 ': {
      command: 'Web Content',
      pid: 7,
      seconds: 12.000000001,
      event: 'page-faults:u',
      faultAddress: 0x7f86c75070b0,
    },
    '          python 13450 [003]  3305.032356:          4 page-faults:u: ': { command: 'python', pid: 13450 },
    'a) 1/2: 3 4/4 5.6: faults:': { command: 'a) 1/2: 3', pid: 4, event: 'faults' },
    '4711/4711 1.5: minor-faults:': { command: '', pid: 4711 },
  };
  test.each(Object.entries(heads))('%s', (line, expected) => {
    const { samples, unreadable } = read(`${line}\n\n`);
    expect(unreadable).toEqual([]);
    expect(samples).toHaveLength(1);
    expect(samples[0]).toMatchObject(expected);
  });
});

test('without callers the function is on the head line', () => {
  const line =
    'python 7  3.5:   1 page-faults:u:      7f9764d3bef7 PyDict_GetItemRef+0x67 (/usr/lib/libpython3.13.so)\n\n';
  expect(read(line).samples[0]?.frames).toEqual([
    { name: 'PyDict_GetItemRef', address: '7f9764d3bef7', offset: 0x67, module: '/usr/lib/libpython3.13.so' },
  ]);
});

describe('a frame', () => {
  const frames: Record<string, [name: string | null, module: string | null]> = {
    '\t  10 operator()(int) (.cold)+0x3 (/usr/bin/a b)': ['operator()(int) (.cold)', '/usr/bin/a b'],
    '\t  10 [unknown] (/usr/bin/python3 (deleted))': [null, '/usr/bin/python3 (deleted)'],
    '\t7fff [unknown] ([heap])': [null, '[heap]'],
    '\t  10 f (a)::g (inlined)': ['f (a)::g', null],
  };
  test.each(Object.entries(frames))('%s', (line, [name, module]) => {
    const { samples } = read(`p 1/1 2.0: faults:\n${line}\n\n`);
    expect(samples[0]?.frames.map((frame) => [frame.name, frame.module])).toEqual([[name, module]]);
  });
});

test("lines that are not perf's are reported, and the others are still read", () => {
  const text = '# a comment\nnonsense\n\np 1/1 2.0: faults:\n\tno frame\n\t  10 f (/bin/f)\n\n';
  const { samples, unreadable } = read(text);
  expect(unreadable).toEqual([2, 5]);
  expect(samples[0]?.frames).toHaveLength(1);
});

test('a text that ends within a line is not complete', () => {
  expect(read('p 1/1 2.0: faults:\n\t  10 f (/bi').whole).toBe(false);
  expect(read('p 1/1 2.0: faults:\n\t  10 f (/bin/f)\n').whole).toBe(true);
});

test('an overlong line takes bounded memory', () => {
  const { unreadable } = read(`${'x'.repeat(1_000_000)}\np 1/1 2.0: faults:\n\n`, 10_000);
  expect(unreadable).toEqual([1]);
});

test('the result does not depend on how a text is split', () => {
  const text = capture('unwound');
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), (chunk) => {
      expect(read(text, chunk)).toEqual(read(text));
    }),
    { numRuns: 50 },
  );
});

test('any text is read or reported, without an exception', () => {
  const words = [
    '\t',
    '\n',
    ' ',
    '(',
    ')',
    '[',
    '7/7',
    '1.5:',
    'faults:',
    'PERF_RECORD_LOST lost ',
    '+0x',
    'ff',
    '\r',
    '\0',
  ];
  const nearly = fc
    .array(fc.oneof(fc.constantFrom(...words), fc.string()), { maxLength: 200 })
    .map((all) => all.join(''));
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 2000 }), nearly), (text) => {
      const { samples, lost } = read(text, 17);
      for (const { pid, seconds, frames } of samples) {
        expect(Number.isSafeInteger(pid)).toBe(true);
        expect(Number.isFinite(seconds)).toBe(true);
        expect(frames.length).toBeLessThanOrEqual(1024);
      }
      for (const { count } of lost) expect(Number.isSafeInteger(count)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test('damaged captures are read or reported too', () => {
  const text = capture('unwound');
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.string({ unit: 'binary', maxLength: 20 }), fc.nat(40), (at, put, cut) => {
      const { samples } = read(text.slice(0, at) + put + text.slice(at + cut));
      expect(samples.length).toBeLessThanOrEqual(12);
    }),
    { numRuns: 300 },
  );
});
