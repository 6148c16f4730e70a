import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { refuseToReplace, writeOutput } from './output-file.ts';

let folder = '';
let out = '';
let precious = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cowherd-output-'));
  out = path.join(folder, 'out.html');
  precious = path.join(folder, 'precious');
  writeFileSync(precious, 'mine', { mode: 0o644 });
});
afterEach(() => rmSync(folder, { recursive: true }));

const EXISTS: unknown = expect.objectContaining({ code: 'OUTPUT_EXISTS' });

test('a new file is accessible only to its owner', () => {
  refuseToReplace(out, false);
  writeOutput(out, 'page', false);
  expect(readFileSync(out, 'utf8')).toBe('page');
  expect(statSync(out).mode & 0o777).toBe(0o600);
  expect(() => writeOutput(out, 'again', undefined)).toThrow(EXISTS);
});

test.each([
  ['a file', () => writeFileSync(out, 'there')],
  ['a link to a file', () => symlinkSync(precious, out)],
  ['a link to nothing yet', () => symlinkSync(path.join(folder, 'new'), out)],
])('%s at the path is not written to', (_what, make) => {
  make();
  for (const act of [() => refuseToReplace(out, undefined), () => writeOutput(out, 'page', false)]) {
    expect(act).toThrow(EXISTS);
  }
  // With force, a new file replaces it.
  refuseToReplace(out, true);
  writeOutput(out, 'page', true);
  expect(lstatSync(out)).toMatchObject({ mode: 0o100_600, uid: process.getuid?.() });
  expect(readFileSync(precious, 'utf8')).toBe('mine');
  expect(existsSync(path.join(folder, 'new'))).toBe(false);
  expect(readdirSync(folder).toSorted()).toEqual(['out.html', 'precious']);
});

test.each(['/dev/null', '/dev/stdout', tmpdir()])('%s is not replaced by a file, even with force', (place) => {
  symlinkSync(place, out);
  for (const [path_, force] of [
    [place, false],
    [place, true],
    [out, true],
  ] as const) {
    expect(() => refuseToReplace(path_, force)).toThrow(EXISTS);
  }
});

test.each([false, true])('a file that cannot be written is a separate error (force: %s)', (force) => {
  const nowhere = path.join(folder, 'nowhere', 'out.html');
  expect(() => writeOutput(nowhere, 'page', force)).toThrow(`The output cannot be written: ${nowhere} (ENOENT)`);
});
