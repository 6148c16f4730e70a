import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  CONTROL_SOCKET,
  herdName,
  herdNamePrefix,
  listRuntimeDirectories,
  runtimeBase,
  runtimeDirectoryFor,
} from './runtime-directory.ts';

describe('the base', () => {
  const user = { xdgRuntimeDir: undefined, uid: 1000, runIsWritable: false };
  test.each([
    [{ ...user, xdgRuntimeDir: '/run/user/1000' }, '/run/user/1000/cowherd'],
    [{ ...user, xdgRuntimeDir: '' }, '/tmp/cowherd-1000'],
    [{ ...user, uid: 0, runIsWritable: true }, '/run/cowherd'],
    [{ ...user, uid: 0 }, '/tmp/cowherd-0'],
    [user, '/tmp/cowherd-1000'],
  ])('for %o it is %s', (environment, base) => {
    expect(runtimeBase(environment)).toBe(base);
  });
});

describe('the name of a herd', () => {
  test('is the same for the same command in the same folder, and otherwise different', () => {
    const name = herdName('/srv/shop', ['shop.wsgi', '-w', '8']);
    expect(herdName('/srv/shop', ['shop.wsgi', '-w', '8'])).toBe(name);
    expect(herdName('/srv/shop', ['shop.wsgi', '-w', '9'])).not.toBe(name);
    expect(herdName('/srv/shop2', ['shop.wsgi', '-w', '8'])).not.toBe(name);
    expect(herdName('/srv/shop', ['shop.wsgi', '-w 8'])).not.toBe(name);
    expect(name.startsWith(herdNamePrefix('/srv/shop'))).toBe(true);
  });

  test("is short and fits into a path, whatever the folder's name", () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (cwd) => {
        const name = herdName(`/${cwd}`, ['app']);
        expect(name).toMatch(/^[A-Za-z0-9._-]{1,48}$/);
        expect(name).not.toMatch(/^\.{1,2}$/);
      }),
    );
  });
});

test('a given directory is used, relative to the current one', () => {
  expect(runtimeDirectoryFor('run', 'name')).toBe(path.resolve('run'));
});

describe('the listed herds', () => {
  let folder = '';
  let herd = '';
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'cowherd-runtime-'));
    herd = path.join(folder, 'cowherd', 'shop');
    mkdirSync(herd, { recursive: true });
    writeFileSync(path.join(herd, CONTROL_SOCKET), '');
    vi.stubEnv('XDG_RUNTIME_DIR', folder);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  test('are those in a folder to which nobody else can add any', () => {
    expect(listRuntimeDirectories()).toEqual([herd]);
    chmodSync(path.join(folder, 'cowherd'), 0o777);
    expect(listRuntimeDirectories()).toEqual([]);
  });
});
