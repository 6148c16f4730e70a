/**
 * Writing and reading files where somebody else may have been first: a link, a pipe or a file of theirs in the place.
 *
 * No library does it: those that write a file whole and rename it (write-file-atomic, atomically) look first where a
 * link leads and write there, open their temporary file without O_EXCL, and take over owner and mode of what was there.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { isSystemError } from './errors.ts';

/** open(2): only a handle of the folder, which may then be one that can't be listed. Node has no name for it. */
const O_PATH = 0o10_000_000;

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Writes a file that was not there, by its own name. Fails with EEXIST if anything is, a link to nowhere too.
 *
 * @throws the error of the system
 */
export function writeNewFile(path: string, data: string | Uint8Array, mode: number): void {
  inFolderOf(path, (name) => writeWhole(name, data, mode));
}

/**
 * Puts a new file in the place of what has this name, whole or not at all. A link is replaced, and not followed; what is
 * neither a file nor a link, such as a device, is left alone.
 *
 * @param leftover the ending of the temporary file's name, in a folder of one's own where whoever tidies up has to know
 *   it: one that a killed process has left is taken away first. At random otherwise.
 * @throws the error of the system
 */
export function replaceFile(path: string, data: string | Uint8Array, mode: number, leftover?: string): void {
  inFolderOf(path, (name) => {
    const there = lstatSync(name, { throwIfNoEntry: false });
    if (there !== undefined && !there.isFile() && !there.isSymbolicLink())
      throw new Error(`${path} is not a regular file`);
    const temporary = `${name}${leftover ?? `.${randomBytes(8).toString('hex')}.new`}`;
    if (leftover !== undefined) rmSync(temporary, { force: true });
    writeWhole(temporary, data, mode);
    try {
      renameSync(temporary, name);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  });
}

export interface ReadLimits {
  readonly mostBytes: number;
  /** A link is not followed. */
  readonly noLink?: boolean;
  /** Whose it may be. */
  readonly owners?: readonly number[];
}

/**
 * A file's contents, unless it is larger, or something that could make its reader wait, such as a pipe.
 *
 * @throws the error of the system, or one that says what is wrong with the file
 */
export function readBounded(path: string, limits: ReadLimits): Buffer {
  const descriptor = openRegular(path, limits);
  try {
    return readUpTo(descriptor, limits.mostBytes, true);
  } finally {
    closeSync(descriptor);
  }
}

/** The beginning of a file, at most so many bytes of it. Throws as {@link readBounded} does, but for its size. */
export function readBeginning(path: string, limits: ReadLimits): Buffer {
  const descriptor = openRegular(path, { ...limits, mostBytes: Infinity });
  try {
    return readUpTo(descriptor, limits.mostBytes, false);
  } finally {
    closeSync(descriptor);
  }
}

/** Adds to the end of one's own file, and makes it if need be. Throws if there is a link in its place, or another's file. */
export function appendToOwn(path: string, text: string, mode: number): void {
  const flags =
    constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const descriptor = openSync(path, flags, mode);
  try {
    refuse(path, fstatSync(descriptor), { mostBytes: Infinity, owners: [process.getuid?.() ?? 0] });
    writeFileSync(descriptor, text);
  } finally {
    closeSync(descriptor);
  }
}

function openRegular(path: string, limits: ReadLimits): number {
  // O_NONBLOCK: to open a pipe would wait for somebody who writes.
  const link = limits.noLink === true ? constants.O_NOFOLLOW : 0;
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | link);
  try {
    refuse(path, fstatSync(descriptor), limits);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function refuse(path: string, stat: Stats, { mostBytes, owners }: ReadLimits): void {
  if (!stat.isFile()) throw new Error(`${path} is not a regular file`);
  if (owners?.includes(stat.uid) === false) throw new Error(`${path} belongs to user ${stat.uid}`);
  if (stat.size > mostBytes) throw tooLarge(path, mostBytes);
}

function tooLarge(path: string, mostBytes: number): Error {
  return new Error(`${path} has more than ${mostBytes} bytes`);
}

/** It may grow while it is read. */
function readUpTo(descriptor: number, mostBytes: number, isWhole: boolean): Buffer {
  const size = fstatSync(descriptor).size;
  const buffer = Buffer.alloc(Math.min(size, mostBytes));
  let done = 0;
  while (done < buffer.length) {
    const read = readSync(descriptor, buffer, done, buffer.length - done, done);
    if (read === 0) break;
    done += read;
  }
  if (isWhole && done < size) throw new Error('it was cut while it was read');
  return buffer.subarray(0, done);
}

/**
 * Calls with the name of the file in its opened folder: whoever moves the folder away meanwhile, and puts a link there,
 * changes nothing any more.
 */
function inFolderOf(path: string, act: (name: string) => void): void {
  const folder = openSync(dirname(path), O_PATH | constants.O_DIRECTORY);
  try {
    act(`/proc/self/fd/${folder}/${basename(path)}`);
  } catch (error) {
    if (isSystemError(error)) error.message = error.message.replaceAll(`/proc/self/fd/${folder}`, dirname(path));
    throw error;
  } finally {
    closeSync(folder);
  }
}

function writeWhole(name: string, data: string | Uint8Array, mode: number): void {
  const descriptor = openSync(name, NEW_FILE, mode);
  try {
    // Not less the umask: the mode is what is meant.
    fchmodSync(descriptor, mode);
    writeFileSync(descriptor, data);
  } catch (error) {
    unlinkSync(name);
    throw error;
  } finally {
    closeSync(descriptor);
  }
}
