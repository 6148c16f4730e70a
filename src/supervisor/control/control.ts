/**
 * The control socket: the commands' requests to a running supervisor, one JSON object per line. This is the commands'
 * side; control-server.ts is the supervisor's, and control-messages.ts has the messages of both.
 *
 * The socket is in the runtime directory, open to its owner only.
 */
import { connect } from 'node:net';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CowherdError, type ErrorCode, isSystemError } from '../../base/errors.ts';
import { onLines } from '../../base/lines.ts';
import type { Looked } from '../../agent/adoption-socket.ts';
import { CONTROL_SOCKET, KEEPER_SOCKET } from '../runtime-directory/runtime-directory.ts';
import { refuseForeignHerd } from '../runtime-directory/runtime-folder.ts';
import type { ControlReply, ControlRequest } from './control-messages.ts';

/**
 * For the whole answer. A supervisor answers within milliseconds; after this time it is stopped, or the machine is
 * overloaded.
 */
const ANSWER_MS = 4000;

/** The pause before another attempt when the backlog is full: the supervisor accepts one visitor after the other. */
const FULL_AGAIN_MS = 20;

/** The status of 1,000 workers has some 700,000 bytes. */
const LONGEST_REPLY = 16 * 1024 * 1024;

/**
 * Asks the supervisor of a runtime directory, and waits at most ANSWER_MS in all.
 *
 * @throws CowherdError NOT_RUNNING if nobody listens, NO_ANSWER if a supervisor exists but does not answer,
 * PROTOCOL_MISMATCH if it refuses, RUNTIME_DIRECTORY_UNSAFE if it may be somebody else; SUPERVISOR_GONE,
 * KEEPER_NO_ANSWER if there is only a herd without a supervisor.
 */
export async function ask(directory: string, message: ControlRequest): Promise<ControlReply> {
  const deadline = performance.now() + ANSWER_MS;
  refuseForeignHerd(directory);
  try {
    return await askSupervisor(directory, message, deadline);
  } catch (error) {
    const isGone = error instanceof CowherdError && error.code === 'NOT_RUNNING';
    const orphaned = isGone ? await orphanedHerd(directory, deadline) : null;
    if (orphaned === null) throw error;
    throw new CowherdError('SUPERVISOR_GONE', { detail: await namedWith(directory, orphaned), cause: error });
  }
}

/** The answer of a keeper without a supervisor; `null` when there is no such keeper. */
async function orphanedHerd(directory: string, deadline: number): Promise<Looked | null> {
  const adoptionSocket = join(directory, KEEPER_SOCKET);
  if (!existsSync(adoptionSocket)) return null;
  const { look } = await import('../../agent/adoption-socket.ts');
  const waiting = new AbortController();
  const late = sleep(deadline - performance.now(), undefined, { signal: waiting.signal }).then(() => {
    throw new CowherdError('KEEPER_NO_ANSWER', { detail: adoptionSocket });
  });
  const looked = await Promise.race([look(adoptionSocket), late]).finally(() => {
    late.catch(() => {});
    waiting.abort();
  });
  return looked?.supervised === false ? looked : null;
}

async function namedWith(directory: string, { pid, workers }: Looked): Promise<string> {
  const { nameOfHerd, notesOf } = await import('../runtime-directory/herd-notes.ts');
  const listeners = notesOf(directory)?.listeners ?? [];
  const address = listeners.length === 0 ? '' : ` at ${listeners.join(', ')}`;
  return `${nameOfHerd(directory)}${address}, with ${workers.length} worker(s) of keeper ${pid}`;
}

async function askSupervisor(directory: string, message: ControlRequest, deadline: number): Promise<ControlReply> {
  const text = `${JSON.stringify(message)}\n`;
  let line = await replyOf(directory, text, deadline);
  for (; line === null; line = await replyOf(directory, text, deadline)) await sleep(FULL_AGAIN_MS);
  const { understood } = await import('./control-replies.ts');
  const reply = understood(line);
  if (typeof reply === 'string') throw new CowherdError('PROTOCOL_MISMATCH', { detail: `${directory}: ${reply}` });
  if (reply.type === 'refused') throw new CowherdError('PROTOCOL_MISMATCH', { detail: reply.reason });
  return reply;
}

/** The first line of the answer; null if the backlog is full. */
async function replyOf(directory: string, text: string, deadline: number): Promise<string | null> {
  return await new Promise<string | null>((resolve, reject) => {
    const socket = connect(join(directory, CONTROL_SOCKET));
    const fail = (code: ErrorCode, cause?: unknown, more = ''): void => {
      reject(new CowherdError(code, { detail: `${directory}${more}`, cause }));
      socket.destroy();
    };
    // For the whole answer: byte by byte does not count.
    const late = setTimeout(() => fail('NO_ANSWER'), deadline - performance.now());
    socket.once('error', (error) => {
      const isFull = isSystemError(error, 'EAGAIN');
      if (isFull && performance.now() < deadline) resolve(null);
      else fail(isFull ? 'NO_ANSWER' : 'NOT_RUNNING', error);
    });
    socket.once('close', () => {
      clearTimeout(late);
      fail('NOT_RUNNING');
    });
    onLines(
      socket,
      (line) => {
        resolve(line);
        socket.destroy();
      },
      {
        mostCharacters: LONGEST_REPLY,
        onTooLong: () => fail('PROTOCOL_MISMATCH', undefined, `: a reply of more than ${LONGEST_REPLY} bytes`),
      },
    );
    socket.write(text);
  });
}

/** Whether one's own supervisor runs in this runtime directory; it may be stopped or too busy to answer. */
export async function isAnswering(directory: string): Promise<boolean> {
  return await isListenedTo(directory, [CONTROL_SOCKET], 'own');
}

/** Whether a herd is in this runtime directory, with or without a supervisor. */
export async function isThere(directory: string): Promise<boolean> {
  return await isListenedTo(directory, [CONTROL_SOCKET, KEEPER_SOCKET], 'named');
}

/** The kernel accepts connections for a process that listens, even a stopped one, so this check takes no time. */
async function isListenedTo(directory: string, names: readonly string[], whose: 'own' | 'named'): Promise<boolean> {
  try {
    refuseForeignHerd(directory, whose);
  } catch (error) {
    if (error instanceof CowherdError) return false;
    throw error;
  }
  for (const name of names) if (await isConnectable(join(directory, name))) return true;
  return false;
}

async function isConnectable(path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      resolve(true);
      socket.destroy();
    });
    socket.once('error', (error) => resolve(isSystemError(error, 'EAGAIN')));
  });
}
