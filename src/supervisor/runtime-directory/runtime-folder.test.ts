import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CONTROL_SOCKET, HERD_FILE, KEEPER_SOCKET } from './runtime-directory.ts';
import {
  FOUND_MARKER,
  isRuntimeFile,
  MADE_MARKER,
  prepareRuntimeDirectory,
  removeOldCensuses,
  removeRuntimeFiles,
  restoreMarker,
} from './runtime-folder.ts';

let folder = '';
let directory = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cowherd-runtime-'));
  directory = path.join(folder, 'run');
});
afterEach(() => rmSync(folder, { recursive: true }));

const modeOf = (place: string): number => statSync(place).mode & 0o7777;

function make(mode: number, ...names: string[]): void {
  mkdirSync(directory);
  chmodSync(directory, mode);
  for (const name of names) writeFileSync(path.join(directory, name), '');
}

/** The result of preparing the directory. */
function outcome(): unknown {
  try {
    prepareRuntimeDirectory(directory);
    return 'prepared';
  } catch (error) {
    return error;
  }
}

const refusal = (code: string, detail = ''): unknown =>
  expect.objectContaining({ code, detail: expect.stringContaining(detail) });

describe('preparing', () => {
  test('makes the directory, and those above, for their owner only', () => {
    directory = path.join(folder, 'a', 'b');
    prepareRuntimeDirectory(directory);
    for (const each of [directory, path.dirname(directory)]) expect(modeOf(each)).toBe(0o700);
    expect(readdirSync(directory)).toEqual([MADE_MARKER]);
  });

  test('does so whatever the umask is', () => {
    const umask = process.umask(0o277);
    try {
      prepareRuntimeDirectory(directory);
    } finally {
      process.umask(umask);
    }
    expect(modeOf(directory)).toBe(0o700);
  });

  test('accepts an empty one that is open to its owner only, and its own one again', () => {
    make(0o700);
    prepareRuntimeDirectory(directory);
    expect(readdirSync(directory)).toEqual([FOUND_MARKER]);
    writeFileSync(path.join(directory, 'notes'), '');
    prepareRuntimeDirectory(directory);
    expect(readdirSync(directory)).toEqual([FOUND_MARKER, 'notes']);
  });

  test.each([0o1777, 0o777, 0o755, 0o750, 0o500])('refuses one of mode %o, and leaves it unchanged', (mode) => {
    make(mode);
    expect(outcome()).toEqual(refusal('RUNTIME_DIRECTORY_UNSAFE', `with mode ${mode.toString(8).padStart(4, '0')}`));
    expect(modeOf(directory)).toBe(mode);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('refuses its own one after it was opened to others', () => {
    prepareRuntimeDirectory(directory);
    chmodSync(directory, 0o711);
    expect(outcome()).toEqual(refusal('RUNTIME_DIRECTORY_UNSAFE', '0711'));
  });

  test.each(['notes', CONTROL_SOCKET, 'stack-1'])(
    'refuses one that contains %s and was not made by Cowherd',
    (name) => {
      make(0o700, name);
      expect(outcome()).toEqual(refusal('RUNTIME_DIRECTORY_UNSAFE', name));
      expect(readdirSync(directory)).toEqual([name]);
    },
  );

  test('does not believe a marker that is a link', () => {
    make(0o700, 'notes');
    symlinkSync('notes', path.join(directory, MADE_MARKER));
    expect(outcome()).toEqual(refusal('RUNTIME_DIRECTORY_UNSAFE'));
  });

  test.each([0o777, 0o775])('refuses one below a folder of mode %o', (mode) => {
    chmodSync(folder, mode);
    expect(outcome()).toEqual(refusal('RUNTIME_DIRECTORY_UNSAFE', `others can write to ${folder}`));
    expect(existsSync(directory)).toBe(false);
    chmodSync(folder, 0o1777);
    prepareRuntimeDirectory(directory);
  });

  test.each(['/', '/tmp', '/run', '/etc'])('refuses %s', (place) => {
    const before = modeOf(place);
    directory = place;
    expect(outcome()).toEqual(refusal('RUNTIME_DIRECTORY_UNSAFE'));
    expect(modeOf(place)).toBe(before);
  });

  test.each([
    ['a file', (place: string) => writeFileSync(place, '')],
    ['a link, which may lead anywhere', (place: string) => symlinkSync(folder, place)],
    ['a link to nothing', (place: string) => symlinkSync('/no/such/place', place)],
  ])('refuses %s', (_what, make) => {
    make(directory);
    expect(outcome()).toEqual(refusal('RUNTIME_DIRECTORY_UNWRITABLE'));
  });

  test.each(['/proc/1/cowherd', '/proc/cowherd/deep', '/sys/cowherd', '/dev/null/cowherd'])('refuses %s', (place) => {
    directory = place;
    expect(() => prepareRuntimeDirectory(directory)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^RUNTIME_DIRECTORY_UN(?:WRITABLE|SAFE)$/) }),
    );
  });

  test('refuses a path with no room for a socket, counted in bytes, and makes nothing', () => {
    const room = 107 - `/${CONTROL_SOCKET}`.length;
    const fits = path.join(folder, 'a'.repeat(room - folder.length - 1));
    prepareRuntimeDirectory(fits);
    expect(existsSync(fits)).toBe(true);
    for (const tooLong of [`${fits}a`, `${fits.slice(0, -1)}é`]) {
      directory = tooLong;
      expect(outcome()).toEqual(refusal('RUNTIME_DIRECTORY_TOO_LONG'));
      expect(existsSync(tooLong)).toBe(false);
    }
  });
});

test('a marker that was tidied away is restored, and the folder stays at the end', () => {
  prepareRuntimeDirectory(directory);
  restoreMarker(directory);
  expect(readdirSync(directory)).toEqual([MADE_MARKER]);
  rmSync(path.join(directory, MADE_MARKER));
  restoreMarker(directory);
  expect(readdirSync(directory)).toEqual([FOUND_MARKER]);
  removeRuntimeFiles(directory);
  expect(readdirSync(directory)).toEqual([]);
});

describe('removing', () => {
  const OURS = [CONTROL_SOCKET, KEEPER_SOCKET, HERD_FILE, 'herd.json.new', 'census-0', 'census-12.new'];

  test('removes our files and the directory', () => {
    prepareRuntimeDirectory(directory);
    for (const name of OURS) writeFileSync(path.join(directory, name), '');
    removeRuntimeFiles(directory);
    expect(existsSync(directory)).toBe(false);
    // A second time does no harm.
    removeRuntimeFiles(directory);
  });

  test('leaves a directory that existed before, as empty as it was', () => {
    make(0o700);
    prepareRuntimeDirectory(directory);
    for (const name of OURS) writeFileSync(path.join(directory, name), '');
    removeRuntimeFiles(directory);
    expect(readdirSync(directory)).toEqual([]);
  });

  test("leaves other people's files, and their directory, for the next herd", () => {
    const theirs = [
      'notes',
      'stack-of-mine',
      'census-report.txt',
      'stack-1',
      'census-',
      'xcensus-1',
      'census-1.new.bak',
      'census-1\n',
    ];
    prepareRuntimeDirectory(directory);
    for (const name of [...theirs, ...OURS]) writeFileSync(path.join(directory, name), '');
    removeRuntimeFiles(directory);
    expect(readdirSync(directory).toSorted()).toEqual([MADE_MARKER, ...theirs].toSorted());
    prepareRuntimeDirectory(directory);
    expect(theirs.some(isRuntimeFile)).toBe(false);
  });

  test('removes the censuses of older versions, and nothing else', () => {
    prepareRuntimeDirectory(directory);
    for (const name of [HERD_FILE, 'census-1', 'census-12.new', 'census-report.txt']) {
      writeFileSync(path.join(directory, name), '');
    }
    removeOldCensuses(directory);
    expect(readdirSync(directory).toSorted()).toEqual([MADE_MARKER, 'census-report.txt', HERD_FILE].toSorted());
    removeOldCensuses(path.join(directory, 'gone'));
  });

  test('touches nothing in a folder that it has not prepared', () => {
    make(0o700, CONTROL_SOCKET, 'stack-1');
    removeRuntimeFiles(directory);
    expect(readdirSync(directory)).toEqual([CONTROL_SOCKET, 'stack-1']);
  });
});
