/**
 * The keeper's process and the socket to it, before anybody listens.
 *
 * Imports little, so that the keeper can be started first: the interpreter then starts while the rest of this program
 * loads.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { LAUNCHER } from '../base/installation.ts';
import { onLines } from '../base/lines.ts';
import type { KeeperCommand } from './messages.ts';

/** See agent/cowherd_agent/keeper/inherited.py. */
const SOCKETS_VARIABLE = 'COWHERD_SOCKETS';

/** Events of the process. Those that come before `attach` are delivered by it. */
export interface KeeperProcessHandlers {
  onLine(line: string): void;
  /** The interpreter could not be started at all. */
  onSpawnFailed(error: NodeJS.ErrnoException): void;
  onExit(exitStatus: number | null, signal: NodeJS.Signals | null): void;
}

export interface KeeperProcess {
  send(command: KeeperCommand): void;
  attach(handlers: KeeperProcessHandlers): void;
  /** Closes the connection and forgets the process: neither keeps this process alive. */
  letGo(): void;
}

/**
 * Starts a keeper in its own session, so that a Ctrl-C on the terminal reaches only the supervisor, which then decides.
 * The first mold is started with it (agent/cowherd_agent/keeper/first_mold.py), and waits for its order. `socketPath` is
 * the adoption socket (agent/cowherd_agent/keeper/adoption_socket.py), where others find the keeper; empty: none yet.
 * `sockets` are descriptors of this process. The keeper gets them from 4 on, and reads their numbers in this process
 * from its environment.
 */
export function spawnKeeper(
  python: string,
  socketPath: string,
  gunicornArguments: readonly string[],
  sockets: readonly number[],
): KeeperProcess {
  const child: ChildProcess = spawn(python, [LAUNCHER, 'start', socketPath, ...gunicornArguments], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe', ...sockets],
    env: sockets.length === 0 ? process.env : { ...process.env, [SOCKETS_VARIABLE]: sockets.join(',') },
  });
  const { tell, attach } = holdBack();
  let spawnFailed = false;
  child.on('error', (error) => {
    spawnFailed = true;
    tell((handlers) => handlers.onSpawnFailed(error));
  });
  const socket = child.stdio[3] as Duplex;
  onLines(socket, (line) => tell((handlers) => handlers.onLine(line)));
  socket.on('error', () => {
    // The keeper is gone; its exit is reported separately.
  });
  // Messages may be unread at 'exit': 'close' comes after they have been read.
  child.on('close', (code, signal) => {
    if (!spawnFailed) tell((handlers) => handlers.onExit(code, signal));
  });
  const letGo = (): void => {
    socket.destroy();
    child.unref();
  };
  return { send: (command) => sendTo(socket, command), attach, letGo };
}

/** Sends a command to a keeper; one that is gone misses it. */
export function sendTo(socket: Duplex, command: KeeperCommand): void {
  if (socket.writable) socket.write(`${JSON.stringify(command)}\n`);
}

/** Keeps events until somebody listens. */
export function holdBack(): {
  tell: (event: (handlers: KeeperProcessHandlers) => void) => void;
  attach: (handlers: KeeperProcessHandlers) => void;
} {
  const early: ((handlers: KeeperProcessHandlers) => void)[] = [];
  let attached: KeeperProcessHandlers | null = null;
  return {
    tell(event) {
      if (attached === null) early.push(event);
      else event(attached);
    },
    attach(handlers) {
      attached = handlers;
      for (const event of early.splice(0)) event(handlers);
    },
  };
}
