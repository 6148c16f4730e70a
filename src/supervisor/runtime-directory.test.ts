import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  CONTROL_SOCKET,
  HERD_FILE,
  herdName,
  herdNamePrefix,
  prepareRuntimeDirectory,
  removeRuntimeFiles,
  runtimeBase,
  runtimeDirectoryFor,
} from './runtime-directory.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cowherd-runtime-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the base', () => {
  const user = { xdgRuntimeDir: undefined, uid: 1000, runIsWritable: false };
  test.each([
    [{ ...user, xdgRuntimeDir: '/run/user/1000' }, '/run/user/1000/cowherd'],
    [{ ...user, xdgRuntimeDir: '' }, '/tmp/cowherd-1000'],
    [{ ...user, uid: 0, runIsWritable: true }, '/run/cowherd'],
    [{ ...user, uid: 0 }, '/tmp/cowherd-0'],
    [user, '/tmp/cowherd-1000'],
  ])('of %o is %s', (environment, base) => {
    expect(runtimeBase(environment)).toBe(base);
  });
});

describe('the name of a herd', () => {
  test('is the same for the same command in the same folder, and else another', () => {
    const name = herdName('/srv/shop', ['shop.wsgi', '-w', '8']);
    expect(herdName('/srv/shop', ['shop.wsgi', '-w', '8'])).toBe(name);
    expect(herdName('/srv/shop', ['shop.wsgi', '-w', '9'])).not.toBe(name);
    expect(herdName('/srv/shop2', ['shop.wsgi', '-w', '8'])).not.toBe(name);
    expect(herdName('/srv/shop', ['shop.wsgi', '-w 8'])).not.toBe(name);
    expect(name.startsWith(herdNamePrefix('/srv/shop'))).toBe(true);
  });

  test('can stand in a path, whatever the folder is called, and is short', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (cwd) => {
        const name = herdName(`/${cwd}`, ['app']);
        expect(name).toMatch(/^[A-Za-z0-9._-]{1,48}$/);
        expect(name).not.toMatch(/^\.{1,2}$/);
      }),
    );
  });
});

test('a directory that is given is taken, relative to the current one', () => {
  expect(runtimeDirectoryFor('run', 'name')).toBe(path.resolve('run'));
});

describe('preparing', () => {
  test('makes it, and those above, for their owner only', () => {
    const directory = path.join(folder, 'a', 'b');
    prepareRuntimeDirectory(directory);
    for (const each of [directory, path.dirname(directory)]) expect(statSync(each).mode & 0o777).toBe(0o700);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('closes one that was open to others', () => {
    const directory = path.join(folder, 'open');
    mkdirSync(directory, { mode: 0o777 });
    prepareRuntimeDirectory(directory);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  test.each([
    ['a file', (place: string) => writeFileSync(place, '')],
    ['a link, which may lead anywhere', (place: string) => symlinkSync(folder, place)],
    ['a link to nothing', (place: string) => symlinkSync('/no/such/place', place)],
  ])('refuses %s', (_what, make) => {
    const directory = path.join(folder, 'place');
    make(directory);
    expect(() => prepareRuntimeDirectory(directory)).toThrow(
      expect.objectContaining({ code: 'RUNTIME_DIRECTORY_UNWRITABLE' }),
    );
  });

  test.each(['/proc/1/cowherd', '/proc/cowherd/deep', '/sys/cowherd', '/dev/null/cowherd'])('refuses %s', (place) => {
    expect(() => prepareRuntimeDirectory(place)).toThrow(
      expect.objectContaining({ code: 'RUNTIME_DIRECTORY_UNWRITABLE' }),
    );
  });

  test('refuses a path with no room for a socket, counted in bytes, and makes nothing', () => {
    const room = 107 - `/${CONTROL_SOCKET}`.length;
    const fits = path.join(folder, 'a'.repeat(room - folder.length - 1));
    prepareRuntimeDirectory(fits);
    expect(existsSync(fits)).toBe(true);
    for (const tooLong of [`${fits}a`, `${fits.slice(0, -1)}é`]) {
      expect(() => prepareRuntimeDirectory(tooLong)).toThrow(
        expect.objectContaining({ code: 'RUNTIME_DIRECTORY_TOO_LONG' }),
      );
      expect(existsSync(tooLong)).toBe(false);
    }
  });
});

describe('removing', () => {
  test('takes away our files and the directory', () => {
    const directory = path.join(folder, 'run');
    prepareRuntimeDirectory(directory);
    for (const name of [CONTROL_SOCKET, HERD_FILE]) writeFileSync(path.join(directory, name), '');
    removeRuntimeFiles(directory);
    expect(existsSync(directory)).toBe(false);
    // Twice does no harm.
    removeRuntimeFiles(directory);
  });

  test("leaves somebody else's file, and the directory with it", () => {
    const directory = path.join(folder, 'run');
    prepareRuntimeDirectory(directory);
    for (const name of [CONTROL_SOCKET, 'notes']) writeFileSync(path.join(directory, name), '');
    removeRuntimeFiles(directory);
    expect(readdirSync(directory)).toEqual(['notes']);
  });
});
