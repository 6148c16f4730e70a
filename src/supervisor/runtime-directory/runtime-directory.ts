/**
 * The runtime directory, which holds a herd's sockets and is open to its owner only. This file chooses it;
 * runtime-folder.ts makes and removes it.
 */
import { createHash } from 'node:crypto';
import { accessSync, constants, lstatSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { whyNotTrusted } from '../../base/trusted-folders.ts';

export const CONTROL_SOCKET = 'control.sock';
/** The keeper's adoption socket (agent/cowherd_agent/keeper/adoption_socket.py, which also knows the other names). */
export const KEEPER_SOCKET = 'keeper.sock';
/** The supervisor's state, for its successor (herd-file.ts). */
export const HERD_FILE = 'herd.json';

/** The inputs to the choice of a directory. */
export interface RuntimeEnvironment {
  xdgRuntimeDir: string | undefined;
  uid: number;
  /** Whether /run is writable. */
  runIsWritable: boolean;
}

/** The folder with the runtime directories of all of this user's herds. */
export function runtimeBase(environment: RuntimeEnvironment): string {
  if (environment.xdgRuntimeDir !== undefined && environment.xdgRuntimeDir !== '') {
    return join(environment.xdgRuntimeDir, 'cowherd');
  }
  if (environment.uid === 0 && environment.runIsWritable) return '/run/cowherd';
  return `/tmp/cowherd-${environment.uid}`;
}

/**
 * The name of a herd's directory: the folder that it is started from, then a hash of the arguments. Two servers from
 * one folder thus get two directories, and the same server gets the same one again.
 */
export function herdName(cwd: string, serveArguments: readonly string[]): string {
  return `${herdNamePrefix(cwd)}-${shortHash(JSON.stringify(serveArguments))}`;
}

/** The common prefix of the names of all herds started from this folder. */
export function herdNamePrefix(cwd: string): string {
  const readable =
    basename(cwd)
      .replaceAll(/[^A-Za-z0-9._-]/g, '_')
      .slice(0, 24) || 'root';
  return `${readable}-${shortHash(cwd)}`;
}

/** A name for a herd's data elsewhere, in one folder for all herds; it begins like the runtime directory's own name. */
export function nameOfDirectory(directory: string): string {
  return `${basename(directory).slice(0, 64) || 'root'}-${shortHash(directory)}`;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 6);
}

/** Reads the inputs of `runtimeBase` from this process. */
export function readRuntimeEnvironment(): RuntimeEnvironment {
  let runIsWritable = true;
  try {
    accessSync('/run', constants.W_OK);
  } catch {
    runIsWritable = false;
  }
  const uid = process.getuid?.() ?? 0;
  return {
    xdgRuntimeDir: ownRuntimeDir(process.env['XDG_RUNTIME_DIR'], uid),
    uid,
    runIsWritable,
  };
}

/**
 * Ignores another user's directory, as the XDG Base Directory Specification requires: `sudo -E` and `su` keep the
 * variable of another user, who could replace the files there.
 */
function ownRuntimeDir(given: string | undefined, uid: number): string | undefined {
  if (given === undefined || given === '') return undefined;
  const owner = statSync(given, { throwIfNoEntry: false })?.uid ?? uid;
  return owner === uid ? given : undefined;
}

/** The directory of a herd of this user, by its `--runtime-dir` or by name. */
export function runtimeDirectoryFor(given: string | undefined, name: string): string {
  if (given !== undefined) return resolve(given);
  return join(runtimeBase(readRuntimeEnvironment()), name);
}

/**
 * This user's runtime directories that contain a socket, answered or not. Leaves out other users' directories; empty if
 * others can write to the folder above them.
 */
export function listRuntimeDirectories(): string[] {
  const { uid, ...environment } = readRuntimeEnvironment();
  const base = runtimeBase({ uid, ...environment });
  try {
    if (whyNotTrusted(base, { uid }) !== null) return [];
    return readdirSync(base, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(base, entry.name))
      .filter((directory) => [0, uid].includes(lstatSync(directory).uid))
      .filter((directory) => readdirSync(directory).some((name) => [CONTROL_SOCKET, KEEPER_SOCKET].includes(name)));
  } catch {
    return [];
  }
}
