/**
 * A Unix socket at a path that the settings choose, in a folder that is not Cowherd's own: made under another name and
 * linked into place, so that it is never open to more users than its mode says, and never replaces anything.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, linkSync, lstatSync, openSync, rmSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { basename, dirname } from 'node:path';
import { isSystemError } from './errors.ts';
import { inodeOf } from './inode.ts';
import { makeFolders } from './make-folders.ts';
import { whyNotTrusted } from './trusted-folders.ts';

/** open(2): a mere handle of the folder. Node has no name for it. */
const O_PATH = 0o10_000_000;
/** sockaddr_un's (unix(7)), without the zero at the end: nobody could connect to a longer path. */
const LONGEST_PATH_BYTES = 107;

export interface SocketFile {
  readonly server: Server;
  readonly path: string;
  readonly inode: number;
}

/**
 * Listens at a path. The leftover of a process of this user is removed first, if nobody listens on it.
 *
 * @param server of node:net, or of node:http
 * @param mode decides who may connect: the kernel asks for the right to write
 * @throws Error whose message says what is in the way
 */
export async function listenAt(server: Server, path: string, mode: number): Promise<SocketFile> {
  if (Buffer.byteLength(path) > LONGEST_PATH_BYTES) throw new Error(`${path} is longer than a socket's path may be`);
  makeFolders(dirname(path));
  const distrust = whyNotTrusted(dirname(path), { uid: ownUser() });
  if (distrust !== null) throw new Error(distrust);
  await removeLeftover(path);
  const folder = openSync(dirname(path), O_PATH | constants.O_DIRECTORY);
  try {
    const inFolder = `/proc/self/fd/${folder}`;
    const made = `${inFolder}/.cowherd.${randomBytes(8).toString('hex')}`;
    await listenWithMode(server, made, mode);
    try {
      linkSync(made, `${inFolder}/${basename(path)}`);
    } finally {
      rmSync(made, { force: true });
    }
  } catch (error) {
    server.close();
    throw isSystemError(error, 'EEXIST') ? new Error(`${path} is already there`, { cause: error }) : error;
  } finally {
    closeSync(folder);
  }
  server.unref();
  return { server, path, inode: inodeOf(path) ?? 0 };
}

/** Stops listening, and removes the file unless something else has its name by now. */
export function closeSocketFile({ server, path, inode }: SocketFile): void {
  server.close();
  try {
    if (inodeOf(path) === inode) unlinkSync(path);
  } catch {
    // Somebody else has removed it, which is fine.
  }
}

/** The file has its mode from its first moment on: the kernel makes it within this call, which is synchronous. */
function listenWithMode(server: Server, path: string, mode: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const umask = process.umask(0o777 & ~mode);
    try {
      server.listen(path, resolve);
    } finally {
      process.umask(umask);
    }
  });
}

async function removeLeftover(path: string): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isSocket()) throw new Error(`${path} is there, and is no socket`);
  if (there.uid !== ownUser()) throw new Error(`${path} belongs to user ${there.uid}`);
  if (!(await isDeserted(path))) throw new Error(`another server listens at ${path}`);
  if (inodeOf(path) === there.ino) unlinkSync(path);
}

function isDeserted(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error) => resolve(isSystemError(error, 'ECONNREFUSED')));
  });
}

function ownUser(): number {
  return process.getuid?.() ?? 0;
}
