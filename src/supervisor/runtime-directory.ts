/**
 * The runtime directory: where a herd's sockets are, open to its owner only.
 */
import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  rmdirSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { CowherdError, isSystemError } from '../base/errors.ts';

export const CONTROL_SOCKET = 'control.sock';
/** Begins the name of a worker's file for its stack, before the slot; `FILE_PREFIX` in agent/cowherd_agent/stack.py. */
export const STACK_PREFIX = 'stack-';
/** Begins the name of a census, before the generation; `FILE_PREFIX` in agent/cowherd_agent/census_scout.py. */
export const CENSUS_PREFIX = 'census-';
/** The keeper's door (agent/cowherd_agent/door.py, which knows all of these names). */
export const KEEPER_SOCKET = 'keeper.sock';
/** What the supervisor knows, for the one after it (herd-file.ts). */
export const HERD_FILE = 'herd.json';

/** Longest path of a Unix socket in bytes, without its ending zero (unix(7), sun_path). */
const LONGEST_SOCKET_PATH_BYTES = 107;

/** What the choice of a directory depends on. */
export interface RuntimeEnvironment {
  xdgRuntimeDir: string | undefined;
  uid: number;
  /** Whether /run can be written to. */
  runIsWritable: boolean;
}

/** The folder in which every herd of this user has its runtime directory. */
export function runtimeBase(environment: RuntimeEnvironment): string {
  if (environment.xdgRuntimeDir !== undefined && environment.xdgRuntimeDir !== '') {
    return join(environment.xdgRuntimeDir, 'cowherd');
  }
  if (environment.uid === 0 && environment.runIsWritable) return '/run/cowherd';
  return `/tmp/cowherd-${environment.uid}`;
}

/**
 * The name of a herd's directory: the folder that it is started from, then a hash of the arguments, so that two servers
 * from one folder do not meet, and the same server finds its own again.
 */
export function herdName(cwd: string, serveArguments: readonly string[]): string {
  return `${herdNamePrefix(cwd)}-${shortHash(JSON.stringify(serveArguments))}`;
}

/** What the names of all herds that are started from this folder begin with. */
export function herdNamePrefix(cwd: string): string {
  const readable =
    basename(cwd)
      .replaceAll(/[^A-Za-z0-9._-]/g, '_')
      .slice(0, 24) || 'root';
  return `${readable}-${shortHash(cwd)}`;
}

/** A name for what is kept of a herd elsewhere, in one folder for all herds: begins as the runtime directory's own. */
export function nameOfDirectory(directory: string): string {
  return `${basename(directory).slice(0, 64) || 'root'}-${shortHash(directory)}`;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 6);
}

/** Reads what `runtimeBase` needs from this process. */
export function readRuntimeEnvironment(): RuntimeEnvironment {
  let runIsWritable = true;
  try {
    accessSync('/run', constants.W_OK);
  } catch {
    runIsWritable = false;
  }
  return {
    xdgRuntimeDir: process.env['XDG_RUNTIME_DIR'],
    uid: process.getuid?.() ?? 0,
    runIsWritable,
  };
}

/** Where a herd of this user is, by its `--runtime-dir` or by name. */
export function runtimeDirectoryFor(given: string | undefined, name: string): string {
  if (given !== undefined) return resolve(given);
  return join(runtimeBase(readRuntimeEnvironment()), name);
}

/**
 * Makes the directory, mode 0700.
 *
 * @throws CowherdError RUNTIME_DIRECTORY_TOO_LONG, RUNTIME_DIRECTORY_UNWRITABLE
 */
export function prepareRuntimeDirectory(directory: string): void {
  const socketPath = join(directory, CONTROL_SOCKET);
  const length = Buffer.byteLength(socketPath);
  if (length > LONGEST_SOCKET_PATH_BYTES) {
    throw new CowherdError('RUNTIME_DIRECTORY_TOO_LONG', {
      detail: `${socketPath} has ${length} bytes; a socket's path may have ${LONGEST_SOCKET_PATH_BYTES}`,
    });
  }
  try {
    makeFolders(directory);
    const status = lstatSync(directory);
    if (!status.isDirectory()) throw new Error('it is not a directory');
    if (process.getuid !== undefined && status.uid !== process.getuid()) {
      throw new Error(`it belongs to user ${status.uid}`);
    }
    refuseForeignParent(dirname(directory));
    chmodSync(directory, 0o700);
    accessSync(directory, constants.W_OK | constants.X_OK);
    // Root passes access() even on a read-only file system, so try it.
    const probe = join(directory, '.probe');
    makeFolders(probe);
    rmdirSync(probe);
  } catch (error) {
    throw new CowherdError('RUNTIME_DIRECTORY_UNWRITABLE', {
      detail: `${directory}: ${error instanceof Error ? error.message : String(error)}`,
      cause: error,
    });
  }
}

/** Who owns the folder above could put a directory of their own in this one's place. */
function refuseForeignParent(parent: string): void {
  const uid = process.getuid?.() ?? 0;
  const owner = lstatSync(parent).uid;
  if (uid !== 0 && owner !== 0 && owner !== uid) throw new Error(`the folder above it belongs to user ${owner}`);
}

/**
 * Makes a folder, mode 0700, and those above it. Not `mkdirSync` with `recursive`: where a folder that is there answers
 * ENOENT, as /proc does, Node 20 tries again for ever.
 */
export function makeFolders(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return;
    const parent = dirname(directory);
    if (!isSystemError(error, 'ENOENT') || existsSync(parent)) throw error;
    makeFolders(parent);
    mkdirSync(directory, { mode: 0o700 });
  }
}

/** Takes away what a herd has put there, and the directory if it is empty then. */
export function removeRuntimeFiles(directory: string): void {
  for (const name of [CONTROL_SOCKET, HERD_FILE, `${HERD_FILE}.new`, KEEPER_SOCKET]) {
    rmSync(join(directory, name), { force: true });
  }
  try {
    const named = readdirSync(directory).filter((name) =>
      [STACK_PREFIX, CENSUS_PREFIX].some((each) => name.startsWith(each)),
    );
    for (const name of named) rmSync(join(directory, name), { force: true });
    rmdirSync(directory);
  } catch {
    // Somebody keeps a file of their own there.
  }
}

/** Takes away the census of a generation, whole or not. */
export function removeCensus(directory: string, generation: number): void {
  const path = join(directory, `${CENSUS_PREFIX}${generation}`);
  for (const name of [path, `${path}.new`]) rmSync(name, { force: true });
}

/** The runtime directories of this user that have a socket, whether somebody answers there or not. */
export function listRuntimeDirectories(): string[] {
  const base = runtimeBase(readRuntimeEnvironment());
  try {
    return readdirSync(base, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(base, entry.name))
      .filter((directory) => readdirSync(directory).some((name) => [CONTROL_SOCKET, KEEPER_SOCKET].includes(name)));
  } catch {
    return [];
  }
}
