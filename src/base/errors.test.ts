import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { catalogue } from './error-catalogue.ts';
import { CowherdError, isErrorCode, isSystemError } from './errors.ts';

/** The rows of the tables in docs/errors.md: | `CODE` | status | title | advice | */
function documented(): Record<string, { exitStatus: number; title: string; advice: string }> {
  const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const rows = text.matchAll(/^\| `([A-Z_]+)` \| (\d+) \| (.+?) \| (.+?) \|$/gm);
  return Object.fromEntries(
    [...rows].map(([, code, status, title, advice]) => [
      code!,
      { exitStatus: Number(status), title: title!, advice: advice! },
    ]),
  );
}

test('docs/errors.md lists the catalogue, and nothing else', () => {
  expect(documented()).toEqual(catalogue);
});

test('each code has its own exit status, outside of those of signals and sysexits', () => {
  const statuses = Object.values(catalogue).map((entry) => entry.exitStatus);
  expect(new Set(statuses).size).toBe(statuses.length);
  for (const status of statuses) expect(status > 0 && status < 64).toBe(true);
});

test("gunicorn's exit statuses keep their meaning", () => {
  expect(catalogue.INVALID_SETTING.exitStatus).toBe(1);
  expect(catalogue.WORKER_BOOT_FAILED.exitStatus).toBe(3);
  expect(catalogue.APP_IMPORT_FAILED.exitStatus).toBe(4);
});

test('titles end without a full stop, advice ends with one', () => {
  for (const { title, advice } of Object.values(catalogue)) {
    expect(title).not.toMatch(/\.$/);
    expect(advice).toMatch(/\.$/);
  }
});

test('a message says what happened, to what, and what to do next', () => {
  const error = new CowherdError('ADDRESS_IN_USE', { detail: '127.0.0.1:8000' });
  expect(error.message).toBe(
    'The address is already in use: 127.0.0.1:8000. Stop what listens there (`ss -ltnp` shows it) or choose another with --bind.',
  );
  expect(error.exitStatus).toBe(10);
  expect(new CowherdError('NOT_LINUX').message).toMatch(/^This is not Linux\. Cowherd reads/);
  expect(new CowherdError('NO_GUNICORN', { detail: 'x', advice: 'Do this.' }).message).toBe(
    'gunicorn is not installed in the interpreter: x. Do this.',
  );
});

test('the cause is kept', () => {
  const cause = new Error('why');
  expect(new CowherdError('INTERNAL', { cause }).cause).toBe(cause);
});

test('a code given as text is looked up, and an unknown one is reported', () => {
  expect(CowherdError.named('NO_GUNICORN', '/usr/bin/python3').code).toBe('NO_GUNICORN');
  const unknown = CowherdError.named('toString', 'detail');
  expect(unknown.code).toBe('INTERNAL');
  expect(unknown.detail).toBe('toString: detail');
  expect(isErrorCode('constructor')).toBe(false);
});

test('system errors are distinguished by their code', () => {
  let caught: unknown;
  try {
    readFileSync('/proc/0/stat');
  } catch (error) {
    caught = error;
  }
  expect(isSystemError(caught, 'ENOENT', 'ESRCH')).toBe(true);
  expect(isSystemError(caught, 'EACCES')).toBe(false);
  expect(isSystemError(caught)).toBe(true);
  expect(isSystemError(new Error('no code'))).toBe(false);
});
