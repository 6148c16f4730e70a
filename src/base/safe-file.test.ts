import { spawnSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
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
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { appendToOwn, readBeginning, readBounded, replaceFile, writeNewFile } from './safe-file.ts';

let folder = '';
let target = '';
let precious = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cowherd-files-'));
  target = path.join(folder, 'out');
  precious = path.join(folder, 'precious');
  writeFileSync(precious, 'mine', { mode: 0o640 });
});
afterEach(() => rmSync(folder, { recursive: true }));

const untouched = (): void => {
  expect(readFileSync(precious, 'utf8')).toBe('mine');
  expect(statSync(precious).mode & 0o777).toBe(0o640);
};

describe('a new file', () => {
  test('has the requested mode, whatever the umask', () => {
    const before = process.umask(0o077);
    try {
      writeNewFile(target, 'text', 0o644);
    } finally {
      process.umask(before);
    }
    expect(readFileSync(target, 'utf8')).toBe('text');
    expect(statSync(target).mode & 0o777).toBe(0o644);
  });

  test.each([
    ['a file', () => writeFileSync(target, 'there')],
    ['a link to a file', () => symlinkSync(precious, target)],
    ['a link to nothing', () => symlinkSync(path.join(folder, 'nothing'), target)],
    ['a folder', () => mkdirSync(target)],
  ])('is not written over %s', (_what, make) => {
    make();
    expect(() => writeNewFile(target, 'text', 0o600)).toThrow(expect.objectContaining({ code: 'EEXIST' }));
    untouched();
    expect(existsSync(path.join(folder, 'nothing'))).toBe(false);
  });

  test('is named in an error as it was given', () => {
    expect(() => writeNewFile(path.join(precious, 'x'), '', 0o600)).toThrow('ENOTDIR');
    writeFileSync(target, '');
    expect(() => writeNewFile(target, '', 0o600)).toThrow(`'${target}'`);
  });
});

describe('replacing', () => {
  test('replaces a file, with its own owner and mode, and leaves nothing beside it', () => {
    writeFileSync(target, 'old', { mode: 0o666 });
    if (process.getuid?.() === 0) chownSync(target, 65_534, 65_534);
    const before = lstatSync(target).ino;
    replaceFile(target, 'new', 0o600);
    expect(readFileSync(target, 'utf8')).toBe('new');
    expect(lstatSync(target)).toMatchObject({ uid: process.getuid?.(), mode: 0o100_600 });
    expect(lstatSync(target).ino).not.toBe(before);
    expect(readdirSync(folder).toSorted()).toEqual(['out', 'precious']);
  });

  test('replaces a link, and does not follow it', () => {
    symlinkSync(precious, target);
    replaceFile(target, 'new', 0o600);
    expect(lstatSync(target).isFile()).toBe(true);
    untouched();
  });

  test('leaves anything alone that is no file', () => {
    mkdirSync(target);
    expect(() => replaceFile(target, 'new', 0o600)).toThrow('is no regular file');
    expect(() => replaceFile('/dev/null', 'new', 0o600)).toThrow('is no regular file');
    expect(readdirSync(folder).toSorted()).toEqual(['out', 'precious']);
  });

  test('overwrites the leftover of a killed process, if its name is known', () => {
    symlinkSync(precious, `${target}.new`);
    replaceFile(target, 'new', 0o600, '.new');
    expect(readFileSync(target, 'utf8')).toBe('new');
    untouched();
    expect(readdirSync(folder).toSorted()).toEqual(['out', 'precious']);
  });
});

describe('reading', () => {
  const limits = { mostBytes: 10 };

  test('gives all of the file, or an error', () => {
    writeFileSync(target, '0123456789');
    expect(readBounded(target, limits).toString()).toBe('0123456789');
    writeFileSync(target, '0123456789+');
    expect(() => readBounded(target, limits)).toThrow('has more than 10 bytes');
    expect(readBeginning(target, limits).toString()).toBe('0123456789');
  });

  test.each(['/dev/zero', '/proc/self', tmpdir()])('does not begin with %s', (place) => {
    expect(() => readBounded(place, limits)).toThrow('is no regular file');
  });

  test('does not wait at a pipe', () => {
    spawnSync('mkfifo', [target]);
    expect(() => readBounded(target, limits)).toThrow('is no regular file');
    expect(() => readBeginning(target, limits)).toThrow('is no regular file');
  });

  test('follows a link only if allowed', () => {
    symlinkSync(precious, target);
    expect(readBounded(target, limits).toString()).toBe('mine');
    expect(() => readBounded(target, { ...limits, noLink: true })).toThrow('ELOOP');
  });

  test('accepts only the given owners', () => {
    const mine = process.getuid?.() ?? 0;
    expect(readBounded(precious, { ...limits, owners: [mine] }).toString()).toBe('mine');
    expect(() => readBounded(precious, { ...limits, owners: [mine + 1] })).toThrow(`belongs to user ${mine}`);
  });
});

test("appending is for one's own file only", () => {
  appendToOwn(target, 'a\n', 0o600);
  appendToOwn(target, 'b\n', 0o600);
  expect(readFileSync(target, 'utf8')).toBe('a\nb\n');
  expect(statSync(target).mode & 0o777).toBe(0o600);
  rmSync(target);
  symlinkSync(precious, target);
  expect(() => appendToOwn(target, 'c', 0o600)).toThrow('ELOOP');
  untouched();
});
