import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readPidFile, removePidFile, writePidFile } from './pid-file.ts';

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cowherd-pid-'));
  file = path.join(folder, 'herd.pid');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('is readable for all, can be read back, and is removed', () => {
  writePidFile(file, 4711);
  expect(statSync(file).mode & 0o777).toBe(0o644);
  expect(readFileSync(file, 'utf8')).toBe('4711\n');
  expect(readPidFile(file)).toBe(4711);
  removePidFile(file, 4711);
  expect(existsSync(file)).toBe(false);
  removePidFile(file, 4711);
});

test("replaces a link in its place, and leaves the link's target alone", () => {
  const precious = path.join(folder, 'precious');
  writeFileSync(precious, 'mine');
  symlinkSync(precious, file);
  writePidFile(file, 1);
  expect(lstatSync(file).isFile()).toBe(true);
  expect(readFileSync(precious, 'utf8')).toBe('mine');
});

test("another process's file is not removed", () => {
  writePidFile(file, 1);
  removePidFile(file, 2);
  expect(readPidFile(file)).toBe(1);
});

test.each(['', 'no number', '-1', '0', '1.5', '/dev/zero'])('%j names no process', (text) => {
  if (text.startsWith('/')) symlinkSync(text, file);
  else writeFileSync(file, text);
  expect(readPidFile(file)).toBeNull();
});
