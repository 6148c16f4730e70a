import { expect, test } from 'vitest';
import type { Interpreter } from '../../cpython/interpreter.ts';
import { interpreterReport, problemsOf } from './doctor-report.ts';

const interpreter: Interpreter = {
  path: '/opt/python/bin/python3',
  version: [3, 13, 1],
  implementation: 'cpython',
  freeThreaded: false,
  debug: false,
  pointerBytes: 8,
  littleEndian: true,
  hugePages: false,
  prefix: '/opt/python',
  final: true,
  gunicorn: '27.0.1',
  pip: true,
};

test('an interpreter with all it needs', () => {
  expect(problemsOf(interpreter)).toEqual([]);
  expect(interpreterReport(interpreter)).toMatchObject({
    name: 'CPython 3.13.1',
    policies: ['immortal', 'freeze', 'instagram', 'stock'],
    unavailable: {},
    gunicorn_usable: true,
    install_gunicorn: null,
  });
});

test('without gunicorn, or with an old one, the report has the exact line to install it', () => {
  const line = "/opt/python/bin/python3 -m pip install --upgrade 'gunicorn>=23'";
  for (const [gunicorn, code] of [
    [null, 'NO_GUNICORN'],
    ['22.0.0', 'GUNICORN_TOO_OLD'],
  ] as const) {
    const [problem] = problemsOf({ ...interpreter, gunicorn });
    expect(problem).toMatchObject({ code, advice: `Install it there: ${line}` });
    expect(interpreterReport({ ...interpreter, gunicorn }).install_gunicorn).toBe(line);
  }
});

test('an old interpreter supports no policy, and gunicorn would not help', () => {
  const old = { ...interpreter, version: [3, 9, 18] as const, gunicorn: null };
  expect(problemsOf(old).map(({ code }) => code)).toEqual(['PYTHON_TOO_OLD']);
  const report = interpreterReport(old);
  expect(report).toMatchObject({ policies: [], install_gunicorn: null });
  expect(report.unavailable['stock']).toBe('Cowherd needs Python 3.10 or newer');
});

test('a free-threaded interpreter supports only stock, with the reason', () => {
  const report = interpreterReport({ ...interpreter, freeThreaded: true });
  expect(report.policies).toEqual(['stock']);
  expect(report.unavailable['freeze']).toBe('it needs the GIL build, and this is free-threaded CPython 3.13.1');
});
