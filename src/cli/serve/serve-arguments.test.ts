import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CowherdError } from '../../base/errors.ts';
import { parseServeArguments } from './serve-arguments.ts';

const nothing = { python: null, runtimeDirectory: null, logFormat: null, help: false, chdir: null, rest: [] };

test('our own options are removed with their values, in both forms', () => {
  expect(
    parseServeArguments(['--python', '/usr/bin/python3', 'app:app', '--runtime-dir=/run/shop', '--log-format', 'json']),
  ).toEqual({
    ...nothing,
    python: '/usr/bin/python3',
    runtimeDirectory: '/run/shop',
    logFormat: 'json',
    rest: ['app:app'],
  });
});

test("gunicorn's own options are passed on unchanged, in their order", () => {
  const argv = ['-b', ':8000', '--workers=4', 'myproject.wsgi', '--env', 'A=B', '--policy', 'freeze'];
  expect(parseServeArguments(argv)).toEqual({ ...nothing, rest: argv });
});

test.each([
  { argv: ['--chdir', 'site', 'app'], chdir: 'site' },
  { argv: ['--chdir=site', 'app'], chdir: 'site' },
  { argv: ['app', '--chdir'], chdir: null },
])('--chdir is read and passed on: $argv', ({ argv, chdir }) => {
  expect(parseServeArguments(argv)).toEqual({ ...nothing, chdir, rest: argv });
});

test.each([['-h'], ['--help']])('%s asks for help', (word) => {
  expect(parseServeArguments(['app', word]).help).toBe(true);
});

test('everything after -- is passed on', () => {
  expect(parseServeArguments(['app', '--', '--python', '-h'])).toEqual({
    ...nothing,
    rest: ['app', '--', '--python', '-h'],
  });
});

describe('refuses', () => {
  test.each([
    [['--python'], '--python needs a value'],
    [['app', '--runtime-dir='], '--runtime-dir needs a value'],
    [['--log-format', ''], '--log-format needs a value'],
    [['--log-format', 'xml'], '--log-format is text or json, not xml'],
  ])('%s', (argv, detail) => {
    let caught: unknown;
    try {
      parseServeArguments(argv);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(CowherdError);
    expect(caught).toMatchObject({ code: 'USAGE', detail });
  });
});

test('all words that are not ours are passed on, in their order, and no others', () => {
  const word = fc
    .string({ minLength: 1 })
    .filter((text) => !/^(-h|--help|--|--(python|runtime-dir|log-format)(=.*)?)$/s.test(text));
  const own = fc.constantFrom(['--python', 'p'], ['--runtime-dir=r'], ['--log-format', 'text']);
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          word.map((text) => [text]),
          own,
        ),
      ),
      (parts) => {
        const ours = new Set(['--python', 'p', '--runtime-dir=r', '--log-format', 'text']);
        const expected = parts.filter(([first = '']) => !ours.has(first)).flat();
        expect(parseServeArguments(parts.flat()).rest.filter((each) => !ours.has(each))).toEqual(expected);
      },
    ),
  );
});
