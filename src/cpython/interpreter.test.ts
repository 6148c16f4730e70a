import { expect, test } from 'vitest';
import {
  compareVersions,
  gunicornInstallLine,
  gunicornIsNewEnough,
  interpreterIn,
  interpreterName,
} from './interpreter.ts';

test('what a probe prints is an interpreter; with a field of another type, or without one, it is none', () => {
  const printed = {
    implementation: 'cpython',
    version: [3, 14, 1],
    freeThreaded: false,
    debug: false,
    pointerBytes: 8,
    littleEndian: true,
    hugePages: false,
    prefix: '/srv/shop/.venv',
    final: true,
    gunicorn: null,
    pip: true,
  };
  expect(interpreterIn('/x/python', JSON.stringify({ ...printed, more: 1 }))).toEqual({
    path: '/x/python',
    ...printed,
  });
  for (const name of Object.keys(printed)) {
    for (const value of [undefined, { x: 1 }]) {
      expect(interpreterIn('/x/python', JSON.stringify({ ...printed, [name]: value })), name).toBeNull();
    }
  }
  for (const version of [
    [3, 14],
    [3, 14, 1, 0],
    ['3', 14, 1],
    [3, -1, 0],
  ]) {
    expect(interpreterIn('/x/python', JSON.stringify({ ...printed, version }))).toBeNull();
  }
  for (const output of ['', 'hello', 'null', '[]']) expect(interpreterIn('/x/python', output)).toBeNull();
});

test('versions are compared by number, and a missing part is 0', () => {
  expect(compareVersions([3, 9, 1], [3, 10, 0])).toBeLessThan(0);
  expect(compareVersions([3, 14, 10], [3, 14, 9])).toBeGreaterThan(0);
  expect(compareVersions([3, 12], [3, 12, 0])).toBe(0);
});

test.each([
  ['23.0.0', true],
  ['27.0.1', true],
  ['22.0.0', false],
  ['20.1.0', false],
  ['0', false],
  ['unknown', false],
])('gunicorn %s: %s', (version, enough) => {
  expect(gunicornIsNewEnough(version)).toBe(enough);
});

test('the line that installs gunicorn also works without pip', () => {
  expect(gunicornInstallLine({ path: '/x/python', pip: true })).toBe(
    "/x/python -m pip install --upgrade 'gunicorn>=23'",
  );
  expect(gunicornInstallLine({ path: '/x/python', pip: false })).toMatch(
    /^\/x\/python -m ensurepip && \/x\/python -m pip/,
  );
});

test("names are the same as the agent's", () => {
  const build = {
    implementation: 'cpython',
    version: [3, 14, 1] as const,
    freeThreaded: true,
    debug: true,
    pointerBytes: 8,
    littleEndian: true,
    hugePages: false,
  };
  expect(interpreterName(build)).toBe('free-threaded debug CPython 3.14.1');
});
