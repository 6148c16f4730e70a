/**
 * Writes and reads files in places where others may have put a link, a pipe or a file of their own.
 *
 * No library does this. Those that write a complete file and rename it (write-file-atomic, atomically) first follow a
 * link and write to its target, open their temporary file without O_EXCL, and take over the owner and mode of the old
 * file.
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

/** open(2): a mere handle of the folder, which then need not be readable. Node has no name for it. */
const O_PATH = 0o10_000_000;

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Writes a new file under its final name. Fails with EEXIST if anything is there, even a dangling link.
 *
 * @throws the error of the system
 */
export function writeNewFile(path: string, data: string | Uint8Array, mode: number): void {
  inFolderOf(path, (name) => writeWhole(name, data, mode));
}

/**
 * Replaces the file of this name, completely or not at all. A link is replaced, and not followed; anything else that is
 * no regular file, such as a device, is left alone.
 *
 * @param leftover the ending of the temporary file's name, for one's own folder in which a cleaner must know it; a
 * killed process's leftover is removed first. Random if left out.
 * @throws the error of the system
 */
export function replaceFile(path: string, data: string | Uint8Array, mode: number, leftover?: string): void {
  inFolderOf(path, (name) => {
    const there = lstatSync(name, { throwIfNoEntry: false });
    if (there !== undefined && !there.isFile() && !there.isSymbolicLink())
      throw new Error(`${path} is no regular file`);
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
  /** Do not follow a link. */
  readonly noLink?: boolean;
  /** The owners that the file may have. */
  readonly owners?: readonly number[];
}

/**
 * Reads a file's contents, unless it is larger, or something that could block its reader, such as a pipe.
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

/** Reads the beginning of a file, at most `mostBytes`. Throws like {@link readBounded}, except for the size. */
export function readBeginning(path: string, limits: ReadLimits): Buffer {
  const descriptor = openRegular(path, { ...limits, mostBytes: Infinity });
  try {
    return readUpTo(descriptor, limits.mostBytes, false);
  } finally {
    closeSync(descriptor);
  }
}

/** Appends to one's own file, and creates it if necessary. Throws if the path is a link, or another user's file. */
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
  // O_NONBLOCK: opening a pipe would wait for a writer.
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
  if (!stat.isFile()) throw new Error(`${path} is no regular file`);
  if (owners?.includes(stat.uid) === false) throw new Error(`${path} belongs to user ${stat.uid}`);
  if (stat.size > mostBytes) throw tooLarge(path, mostBytes);
}

function tooLarge(path: string, mostBytes: number): Error {
  return new Error(`${path} has more than ${mostBytes} bytes`);
}

/** The file may change while it is read. */
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
 * Calls `act` with the file's name in its opened folder. Moving the folder away and putting a link in its place has no
 * effect then.
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
    // Set explicitly, because the umask would reduce the mode.
    fchmodSync(descriptor, mode);
    writeFileSync(descriptor, data);
  } catch (error) {
    unlinkSync(name);
    throw error;
  } finally {
    closeSync(descriptor);
  }
}
