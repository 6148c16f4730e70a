/**
 * Sockets that this process was started with: from systemd's socket activation (sd_listen_fds(3)), or named by a bind
 * of `fd://N`. They are passed to the keeper, which listens.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import type { Address } from './messages.ts';

/** SD_LISTEN_FDS_START of sd-daemon.h. */
const FIRST_ACTIVATED = 3;

export interface InheritedSockets {
  /** Every inherited socket, except standard streams. */
  descriptors: number[];
  /** Sockets of systemd's socket activation, which replace all binds. */
  activated: number[];
}

/** The descriptors that systemd has passed to the process `pid`: sd_listen_fds(3). */
export function activatedDescriptors(env: NodeJS.ProcessEnv, pid: number): number[] {
  const count = Number(env['LISTEN_FDS'] ?? '0');
  // A variable that a parent has inherited and not unset is not for this process.
  if (Number(env['LISTEN_PID']) !== pid || !Number.isInteger(count) || count < 1) return [];
  return Array.from({ length: count }, (_, index) => FIRST_ACTIVATED + index);
}

/**
 * Finds the sockets that this process was started with, and removes systemd's variables from its environment, so that
 * no process of the herd takes them for its own. Call this before opening a socket.
 */
export function takeInheritedSockets(env: NodeJS.ProcessEnv = process.env): InheritedSockets {
  const activated = activatedDescriptors(env, process.pid);
  for (const name of ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES']) delete env[name];
  const ipc = Number(env['NODE_CHANNEL_FD'] ?? '-1');
  const sockets = readdirSync('/proc/self/fd')
    .map(Number)
    .filter((descriptor) => descriptor >= FIRST_ACTIVATED && descriptor !== ipc && isSocket(descriptor));
  return { descriptors: [...new Set([...activated, ...sockets])], activated };
}

/** Where to listen: inherited sockets replace all other addresses (gunicorn/sock.py, create_sockets). */
export function listenAddresses(configured: readonly Address[], activated: readonly number[]): Address[] {
  const named = configured.filter((each) => each.kind === 'fd');
  const added = activated
    .filter((descriptor) => !named.some((each) => each.descriptor === descriptor))
    .map((descriptor): Address => ({ kind: 'fd', descriptor }));
  const inherited = [...named, ...added];
  return inherited.length > 0 ? inherited : [...configured];
}

function isSocket(descriptor: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith('socket:');
  } catch {
    // The descriptor with which the folder was read.
    return false;
  }
}
