/** Folders of another user, seen by root. The tests make them with chown, which an ordinary user couldn't. */
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CowherdError } from '../../src/base/errors.ts';
import { whyNotTrusted } from '../../src/base/trusted-folders.ts';
import {
  CONTROL_SOCKET,
  listRuntimeDirectories,
  readRuntimeEnvironment,
} from '../../src/supervisor/runtime-directory/runtime-directory.ts';
import { readStateEnvironment } from '../../src/supervisor/restarts/history.ts';
import {
  MADE_MARKER,
  prepareRuntimeDirectory,
  refuseForeignHerd,
} from '../../src/supervisor/runtime-directory/runtime-folder.ts';
import { needs, ROOT_NEEDED } from '../support/needs.ts';

const MALLORY = 65_534;

let folder = '';
let directory = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cowherd-foreign-'));
  directory = path.join(folder, 'run');
});
afterEach(() => rmSync(folder, { recursive: true }));

function give(place: string, uid = MALLORY): void {
  lchownSync(place, uid, uid);
}

function make(mode: number, ...names: string[]): void {
  mkdirSync(directory);
  chmodSync(directory, mode);
  for (const name of names) writeFileSync(path.join(directory, name), '');
}

/** Code and detail of the error that `act` throws, or `allowed`. */
function outcome(act: (directory: string) => void): string {
  try {
    act(directory);
    return 'allowed';
  } catch (error) {
    return error instanceof CowherdError ? `${error.code} ${error.detail ?? ''}` : String(error);
  }
}

describe("another user's", needs(ROOT_NEEDED), () => {
  test.each(['folder', 'link'])('%s on the way is refused, to root as well', (what) => {
    if (what === 'folder') mkdirSync(directory);
    else symlinkSync('.', directory);
    give(directory);
    const refused = `${directory} belongs to user ${MALLORY}`;
    for (const below of ['', 'run']) expect(whyNotTrusted(path.join(directory, below), { uid: 0 })).toBe(refused);
    // Trusted by that user, and by a caller who allows that owner.
    expect(whyNotTrusted(directory, { uid: MALLORY })).toBeNull();
    expect(whyNotTrusted(directory, { uid: 0, owners: [MALLORY] })).toBeNull();
  });

  test('runtime directory is refused to root, and so is one below', () => {
    make(0o700);
    give(directory);
    expect(outcome(prepareRuntimeDirectory)).toMatch(/^RUNTIME_DIRECTORY_UNSAFE .* belongs to user 65534$/);
    directory = path.join(directory, 'below');
    expect(outcome(prepareRuntimeDirectory)).toMatch(/^RUNTIME_DIRECTORY_UNSAFE .* belongs to user 65534$/);
    expect(existsSync(directory)).toBe(false);
  });

  test('marker is not believed', () => {
    make(0o700, MADE_MARKER);
    give(path.join(directory, MADE_MARKER));
    expect(outcome(prepareRuntimeDirectory)).toMatch(/^RUNTIME_DIRECTORY_UNSAFE/);
  });
});

describe('a volume that everybody in a container can write to', needs(ROOT_NEEDED), () => {
  const container = { isContainer: () => true, isMountPoint: (at: string) => at === path.join(folder, 'run') };
  const problem = (uid: number, place = container): string | null =>
    whyNotTrusted(path.join(directory, 'shop'), { uid, place });

  test('is used by an ordinary user, and not by root, whose workers may be other users', () => {
    make(0o777);
    chmodSync(folder, 0o755);
    expect(problem(10_001)).toBeNull();
    expect(problem(0)).toContain('others can write');
    expect(problem(10_001, { ...container, isContainer: () => false })).toContain('others can write');
    expect(problem(10_001, { ...container, isMountPoint: () => false })).toContain('others can write');
    give(directory, 10_001);
    expect(problem(10_001)).toContain('others can write');
  });
});

describe('the user that a command talks to', needs(ROOT_NEEDED), () => {
  const talk = (): string => outcome(refuseForeignHerd);

  test('is never a user who can only write there', () => {
    expect(talk()).toBe('allowed');
    make(0o1777, CONTROL_SOCKET);
    expect(talk()).toMatch(/^RUNTIME_DIRECTORY_UNSAFE .*mode 1777/);
    chmodSync(directory, 0o700);
    expect(talk()).toBe('allowed');
    give(path.join(directory, CONTROL_SOCKET));
    expect(talk()).toMatch(/^RUNTIME_DIRECTORY_UNSAFE .*control\.sock in it belongs to user 65534$/);
    // A link to such a directory is refused too.
    give(path.join(directory, CONTROL_SOCKET), 0);
    chmodSync(directory, 0o1777);
    const link = path.join(folder, 'link');
    symlinkSync(directory, link);
    expect(outcome(() => refuseForeignHerd(link))).toMatch(/^RUNTIME_DIRECTORY_UNSAFE .*mode 1777/);
  });

  test('is, for root, the owner of the herd that root names, not the owner of a folder above it', () => {
    make(0o700, CONTROL_SOCKET);
    give(directory);
    give(path.join(directory, CONTROL_SOCKET));
    expect(talk()).toBe('allowed');
    // But root may not start a herd there: it would believe that user's keeper.
    expect(outcome(() => refuseForeignHerd(directory, 'own'))).toMatch(/^RUNTIME_DIRECTORY_UNSAFE .* user 65534$/);
    give(folder, MALLORY + 1);
    expect(talk()).toMatch(/^RUNTIME_DIRECTORY_UNSAFE .*belongs to user 65535$/);
  });
});

describe('the herds that root finds', needs(ROOT_NEEDED), () => {
  let herd = '';
  beforeEach(() => {
    herd = path.join(folder, 'cowherd', 'shop');
    mkdirSync(herd, { recursive: true });
    writeFileSync(path.join(herd, CONTROL_SOCKET), '');
    vi.stubEnv('XDG_RUNTIME_DIR', folder);
  });
  afterEach(() => void vi.unstubAllEnvs());

  test('are never those of another user', () => {
    expect(listRuntimeDirectories()).toEqual([herd]);
    give(herd);
    expect(listRuntimeDirectories()).toEqual([]);
    give(herd, 0);
    give(path.join(folder, 'cowherd'));
    expect(listRuntimeDirectories()).toEqual([]);
  });

  test("are not searched in another user's XDG_RUNTIME_DIR, which `sudo -E` keeps", () => {
    chownSync(folder, MALLORY, MALLORY);
    expect(readRuntimeEnvironment().xdgRuntimeDir).toBeUndefined();
    expect(listRuntimeDirectories()).not.toContain(herd);
  });
});

describe("root's history", needs(ROOT_NEEDED), () => {
  afterEach(() => void vi.unstubAllEnvs());

  test("is not in another user's XDG_STATE_HOME, nor where that user's link leads", () => {
    vi.stubEnv('XDG_STATE_HOME', folder);
    expect(readStateEnvironment().xdgStateHome).toBe(folder);
    symlinkSync('/', path.join(folder, 'cowherd'));
    give(path.join(folder, 'cowherd'));
    expect(readStateEnvironment().xdgStateHome).toBeUndefined();
    rmSync(path.join(folder, 'cowherd'));
    give(folder);
    expect(readStateEnvironment().xdgStateHome).toBeUndefined();
  });
});
