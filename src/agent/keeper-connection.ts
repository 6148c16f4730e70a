/**
 * Starts the keeper and talks with it: one JSON object a line over its file descriptor 3.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Duplex } from 'node:stream';
import { keeperMessage, type KeeperCommand, type KeeperMessage } from './messages.ts';

/** The keeper's and the molds' program; the same relative path from `src/` and from `dist/`. */
const LAUNCHER = fileURLToPath(new URL('../../agent/launch.py', import.meta.url));

export interface KeeperHandlers {
  onMessage(message: KeeperMessage): void;
  /** A line that is no message of this protocol: the two sides are of different versions. */
  onUnreadable(line: string, reason: string): void;
  /** The interpreter could not be started at all. */
  onSpawnFailed(error: NodeJS.ErrnoException): void;
  onExit(exitStatus: number | null, signal: NodeJS.Signals | null): void;
}

export interface KeeperConnection {
  send(command: KeeperCommand): void;
}

/**
 * Starts a keeper in a session of its own, so that a Ctrl-C on the terminal reaches only the
 * supervisor, which then decides. It runs isolated and without site (`-I -S`): it needs the
 * standard library only, and stays small.
 */
export function startKeeper(python: string, handlers: KeeperHandlers): KeeperConnection {
  const child: ChildProcess = spawn(python, ['-I', '-S', LAUNCHER, 'keeper'], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  let spawnFailed = false;
  child.on('error', (error) => {
    spawnFailed = true;
    handlers.onSpawnFailed(error);
  });
  const socket = child.stdio[3] as Duplex;
  let pending = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    pending += chunk;
    const lines = pending.split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) receive(line, handlers);
  });
  socket.on('error', () => {
    // The keeper is gone; its exit says so.
  });
  // After 'exit' there may be messages left to read: 'close' comes when they have been read.
  child.on('close', (code, signal) => {
    if (!spawnFailed) handlers.onExit(code, signal);
  });
  return {
    send(command) {
      if (socket.writable) socket.write(`${JSON.stringify(command)}\n`);
    },
  };
}

function receive(line: string, handlers: KeeperHandlers): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (error) {
    handlers.onUnreadable(line, String(error));
    return;
  }
  const message = keeperMessage.safeParse(parsed);
  if (message.success) handlers.onMessage(message.data);
  else handlers.onUnreadable(line, message.error.message);
}
