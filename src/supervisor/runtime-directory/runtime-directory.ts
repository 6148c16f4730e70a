/**
 * The runtime directory: where a herd's sockets are, open to its owner only. Which one it is; runtime-folder.ts makes
 * and removes it.
 */
import { createHash } from 'node:crypto';
import { accessSync, constants, lstatSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { whyNotTrusted } from '../../base/trusted-folders.ts';

export const CONTROL_SOCKET = 'control.sock';
/** Begins the name of a census, before the generation; `FILE_PREFIX` in agent/cowherd_agent/mold/census_scout.py. */
export const CENSUS_PREFIX = 'census-';
/** The keeper's door (agent/cowherd_agent/door.py, which knows all of these names). */
export const KEEPER_SOCKET = 'keeper.sock';
/** What the supervisor knows, for the one after it (herd-file.ts). */
export const HERD_FILE = 'herd.json';

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
  const uid = process.getuid?.() ?? 0;
  return {
    xdgRuntimeDir: ownRuntimeDir(process.env['XDG_RUNTIME_DIR'], uid),
    uid,
    runIsWritable,
  };
}

/**
 * It must be owned by the user, says the XDG Base Directory Specification: `sudo -E` and `su` leave that of another user,
 * who could put things in the place of one's own there.
 */
function ownRuntimeDir(given: string | undefined, uid: number): string | undefined {
  if (given === undefined || given === '') return undefined;
  const owner = statSync(given, { throwIfNoEntry: false })?.uid ?? uid;
  return owner === uid ? given : undefined;
}

/** Where a herd of this user is, by its `--runtime-dir` or by name. */
export function runtimeDirectoryFor(given: string | undefined, name: string): string {
  if (given !== undefined) return resolve(given);
  return join(runtimeBase(readRuntimeEnvironment()), name);
}

/**
 * The runtime directories of this user that have a socket, whether somebody answers there or not. None of another user's,
 * and none where others can write to the folder that has them all.
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
