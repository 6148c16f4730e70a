import { expect, test } from 'vitest';
import type { Interpreter } from '../../cpython/interpreter.ts';
import { pythonLines } from './demo-python.ts';

const newest: Interpreter = {
  implementation: 'cpython',
  version: [3, 14, 8],
  freeThreaded: false,
  debug: false,
  pointerBytes: 8,
  littleEndian: true,
  hugePages: false,
  path: '/srv/.venv/bin/python',
  prefix: '/srv/.venv',
  final: true,
  gunicorn: '25.0.0',
  pip: true,
};

test('an interpreter that allows everything', () => {
  expect(pythonLines(newest, 'from .venv in /srv')).toEqual([
    'Python: CPython 3.14.8, /srv/.venv/bin/python (from .venv in /srv)',
    'Highest heap policy that it allows: immortal',
  ]);
});

test('an interpreter too old for immortal objects, with the reason and the remedy', () => {
  expect(pythonLines({ ...newest, version: [3, 11, 2] }, 'from .venv in /srv').slice(1)).toEqual([
    'Highest heap policy that it allows: freeze',
    'The heap policy immortal is not possible: it needs CPython 3.12 or newer, and this is CPython 3.11.2.',
    'With CPython 3.12 to 3.14 installed, `make demo` takes the newest that it finds.',
  ]);
});

test('an interpreter of another build, with the reason but no advice on versions', () => {
  expect(pythonLines({ ...newest, freeThreaded: true }, 'from --python').slice(1)).toEqual([
    'Highest heap policy that it allows: stock',
    'The heap policy immortal is not possible: it needs the GIL build, and this is free-threaded CPython 3.14.8.',
  ]);
});
