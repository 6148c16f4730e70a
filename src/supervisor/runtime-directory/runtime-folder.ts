/**
 * Making, using and leaving a runtime directory. Only Cowherd's own files are used, changed or removed. A marker in the
 * folder records whether Cowherd has made it, and removes it at the end, or has found it empty, and leaves it.
 */
import { chmodSync, lstatSync, readdirSync, rmSync, rmdirSync, statSync, type Stats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { CowherdError, isSystemError } from '../../base/errors.ts';
import { makeFolders } from '../../base/make-folders.ts';
import { replaceFile } from '../../base/safe-file.ts';
import { modeOf, whyNotTrusted } from '../../base/trusted-folders.ts';
import { CONTROL_SOCKET, HERD_FILE, KEEPER_SOCKET } from './runtime-directory.ts';

/** In a folder that Cowherd has made; also in agent/cowherd_agent/keeper/adoption_socket.py. */
export const MADE_MARKER = '.cowherd';
/** In a folder that existed before and stays: the keeper, too, removes only an empty folder. */
export const FOUND_MARKER = '.cowherd-found';

const MARKERS = {
  [MADE_MARKER]: 'Cowherd has made this folder for a herd, and removes it when the herd ends.\n',
  [FOUND_MARKER]: 'A herd of Cowherd uses this folder. It was there before, and stays when the herd ends.\n',
} as const;
type Marker = keyof typeof MARKERS;

/** The longest path of a socket, in bytes: unix(7), sun_path has 108 including its terminating zero. */
const LONGEST_SOCKET_PATH_BYTES = 107;

const OURS_ALONE = 0o700;
const FILES = new Set([CONTROL_SOCKET, HERD_FILE, `${HERD_FILE}.new`, KEEPER_SOCKET]);
/** Molds of older versions wrote their censuses here. */
const OLD_CENSUS = /^census-\d+(?:\.new)?$/;

/**
 * Makes the directory, mode 0700, or accepts an existing one: an earlier herd's, or an empty one that is open to its
 * owner only.
 *
 * @throws CowherdError RUNTIME_DIRECTORY_TOO_LONG, RUNTIME_DIRECTORY_UNSAFE, RUNTIME_DIRECTORY_UNWRITABLE
 */
export function prepareRuntimeDirectory(directory: string): void {
  refuseLongPath(directory);
  const uid = process.getuid?.() ?? 0;
  try {
    refuseFor(whyNotTrusted(dirname(directory), { uid }), directory);
    const isNew = makeFolders(directory);
    const status = lstatSync(directory);
    if (!status.isDirectory()) throw new Error('it is not a directory');
    if (isNew) setMode(directory, status);
    else refuseFor(whyNotOurs(directory, status, uid), directory);
    try {
      // Also a test write: root passes access() even on a read-only file system.
      mark(directory, isNew ? MADE_MARKER : (markerIn(directory) ?? FOUND_MARKER));
    } catch (error) {
      if (isNew) rmdirSync(directory);
      throw error;
    }
  } catch (error) {
    if (error instanceof CowherdError) throw error;
    throw new CowherdError('RUNTIME_DIRECTORY_UNWRITABLE', {
      detail: `${directory}: ${error instanceof Error ? error.message : String(error)}`,
      cause: error,
    });
  }
}

/** Restores the marker of a folder in use after it was tidied away. The folder then stays at the end. */
export function restoreMarker(directory: string): void {
  try {
    if (markerIn(directory) !== null || lstatSync(directory).uid !== process.getuid?.()) return;
    mark(directory, FOUND_MARKER);
  } catch {
    // A full disk must stop nothing; the next call tries again.
  }
}

/** Removes a herd's files, and the directory if Cowherd has made it and it contains nothing else. */
export function removeRuntimeFiles(directory: string): void {
  const marker = markerIn(directory);
  if (marker === null) return;
  try {
    for (const name of readdirSync(directory)) if (isRuntimeFile(name)) rmSync(join(directory, name), { force: true });
    // Another file is there: the marker stays with it, for the next herd.
    if (readdirSync(directory).some((name) => name !== marker)) return;
    rmSync(join(directory, marker), { force: true });
    if (marker === MADE_MARKER) rmdirSync(directory);
  } catch (error) {
    // Removed meanwhile, or on a disk that has become read-only: nothing can be done at the end.
    if (!isSystemError(error)) throw error;
  }
}

/** Whether a name in a runtime directory is one of Cowherd's. */
export function isRuntimeFile(name: string): boolean {
  return FILES.has(name) || OLD_CENSUS.test(name);
}

/** Removes the censuses of a herd that was started by an older version. */
export function removeOldCensuses(directory: string): void {
  try {
    for (const name of readdirSync(directory)) {
      if (OLD_CENSUS.test(name)) rmSync(join(directory, name), { force: true });
    }
  } catch (error) {
    // The directory was removed, and is made again.
    if (!isSystemError(error)) throw error;
  }
}

/**
 * Refuses a directory in which anybody but root and this user could answer. For root, the directory's owner may answer
 * too if root has named the directory; a directory found by listing must be root's own (`listRuntimeDirectories`). With
 * `own`, not even root accepts another user's herd, because a supervisor believes its keeper.
 *
 * Node can't ask who listens at a socket (SO_PEERCRED). The folder's owner suffices: only users who can write to it can
 * put a socket there. The folders above are checked too, so that it can't be replaced between this check and the
 * connection.
 *
 * @throws CowherdError RUNTIME_DIRECTORY_UNSAFE; NOT_RUNNING if the folder may not be read; nothing if it does not
 * exist
 */
export function refuseForeignHerd(directory: string, whose: 'own' | 'named' = 'named'): void {
  let problem: string | null;
  try {
    problem = whyForeign(resolve(directory), whose);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    // Another user's closed folder, or no folder at all.
    throw new CowherdError('NOT_RUNNING', { detail: `${directory} (${error.code ?? ''})`, cause: error });
  }
  refuseFor(problem, directory);
}

function whyForeign(path: string, whose: 'own' | 'named'): string | null {
  const uid = process.getuid?.() ?? 0;
  // Follows a link.
  const folder = statSync(path, { throwIfNoEntry: false });
  if (folder === undefined) return null;
  const owners = uid === 0 && whose === 'named' ? [folder.uid] : [];
  const problem = whyNotTrusted(path, { uid, owners });
  if (problem !== null) return problem;
  if ((folder.mode & 0o022) !== 0) return `others can write to it (mode ${modeOf(folder)})`;
  for (const name of [CONTROL_SOCKET, KEEPER_SOCKET]) {
    const owner = lstatSync(join(path, name), { throwIfNoEntry: false })?.uid ?? uid;
    if (![0, uid, ...owners].includes(owner)) return `${name} in it belongs to user ${owner}`;
  }
  return null;
}

function whyNotOurs(directory: string, status: Stats, uid: number): string | null {
  if (status.uid !== uid) return `it belongs to user ${status.uid}`;
  if ((status.mode & 0o777) !== OURS_ALONE) return `it already exists, with mode ${modeOf(status)}`;
  if (markerIn(directory) !== null) return null;
  const [first] = readdirSync(directory);
  return first === undefined ? null : `it already exists, and contains something that is not Cowherd's: ${first}`;
}

/** Only a regular file of this user counts. */
function markerIn(directory: string): Marker | null {
  const uid = process.getuid?.() ?? 0;
  const isMarker = (name: Marker): boolean => {
    try {
      const status = lstatSync(join(directory, name), { throwIfNoEntry: false });
      return status?.isFile() === true && status.uid === uid;
    } catch {
      return false;
    }
  };
  return ([MADE_MARKER, FOUND_MARKER] as const).find(isMarker) ?? null;
}

function mark(directory: string, marker: Marker): void {
  const file = join(directory, marker);
  try {
    replaceFile(file, MARKERS[marker], 0o600, '.new');
  } catch (error) {
    if (!isSystemError(error, 'ENOSPC', 'EDQUOT')) throw error;
    // Only its existence counts, and an empty file needs no room.
    replaceFile(file, '', 0o600, '.new');
  }
}

/** The umask may have removed bits, and the folder above may have passed on its group. */
function setMode(directory: string, status: Stats): void {
  if ((status.mode & 0o777) !== OURS_ALONE) chmodSync(directory, OURS_ALONE);
}

function refuseFor(problem: string | null, directory: string): void {
  if (problem !== null) throw new CowherdError('RUNTIME_DIRECTORY_UNSAFE', { detail: `${directory}: ${problem}` });
}

function refuseLongPath(directory: string): void {
  const socketPath = join(directory, CONTROL_SOCKET);
  const length = Buffer.byteLength(socketPath);
  if (length <= LONGEST_SOCKET_PATH_BYTES) return;
  throw new CowherdError('RUNTIME_DIRECTORY_TOO_LONG', {
    detail: `${socketPath} has ${length} bytes; a socket's path may have ${LONGEST_SOCKET_PATH_BYTES}`,
  });
}
