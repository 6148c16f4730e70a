/**
 * A keeper's adoption socket (agent/cowherd_agent/keeper/adoption_socket.py): how a supervisor reaches a keeper that it
 * did not start, and how commands ask a keeper without a supervisor.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { CowherdError, isSystemError } from '../base/errors.ts';
import { onLines } from '../base/lines.ts';
import { holdBack, sendTo, type KeeperProcess } from './keeper-process.ts';
import {
  keeperMessage,
  PROTOCOL_VERSION,
  type VisitorCommand,
  type Inventory,
  type KeeperMessage,
} from './messages.ts';

/** A keeper answers within milliseconds; after this time it is stopped, or the machine is overloaded. */
const ANSWER_MS = 5000;
const LOOK_EVERY_MS = 50;

/**
 * An inventory of 1,000 workers has some 500,000. The limit is needed because the folder's owner may put any server
 * there.
 */
const LONGEST_LINE = 16 * 1024 * 1024;

export type Looked = Extract<KeeperMessage, { type: 'looked' }>;

/**
 * Asks what is behind a keeper's adoption socket; `null` when nobody listens.
 *
 * @throws CowherdError KEEPER_NO_ANSWER, PROTOCOL_MISMATCH
 */
export async function look(socketPath: string): Promise<Looked | null> {
  return await expectLooked(socketPath, { type: 'look', protocol: PROTOCOL_VERSION });
}

/**
 * Makes a keeper without a supervisor end its herd; `null` when nobody listens.
 *
 * @throws CowherdError KEEPER_NO_ANSWER, PROTOCOL_MISMATCH, RUNTIME_DIRECTORY_BUSY
 */
export async function drain(socketPath: string, quick: boolean): Promise<Looked | null> {
  return await expectLooked(socketPath, { type: 'drain', protocol: PROTOCOL_VERSION, quick });
}

/**
 * Becomes the supervisor of a keeper without one; `null` when nobody listens.
 *
 * @throws CowherdError KEEPER_NO_ANSWER, PROTOCOL_MISMATCH, RUNTIME_DIRECTORY_BUSY
 */
export async function adoptKeeper(socketPath: string): Promise<{ keeper: KeeperProcess; inventory: Inventory } | null> {
  const { tell, attach } = holdBack();
  const answered = await say(socketPath, { type: 'adopt', protocol: PROTOCOL_VERSION }, (line) =>
    tell((handlers) => handlers.onLine(line)),
  );
  if (answered === null) return null;
  const { socket, message } = answered;
  if (message.type !== 'inventory') throw unexpected(socketPath, message.type);
  socket.on('close', () => tell((handlers) => handlers.onExit(null, null)));
  const keeper: KeeperProcess = {
    send: (command) => sendTo(socket, command),
    attach,
    letGo: () => void socket.destroy(),
  };
  return { keeper, inventory: message };
}

async function expectLooked(socketPath: string, command: VisitorCommand): Promise<Looked | null> {
  const answered = await say(socketPath, command, () => {});
  answered?.socket.destroy();
  if (answered !== null && answered.message.type !== 'looked') throw unexpected(socketPath, answered.message.type);
  return answered === null ? null : (answered.message as Looked);
}

/**
 * Sends a command, and waits for the first line. A leaving keeper closes the connection: tries again until nobody
 * listens.
 */
async function say(
  socketPath: string,
  command: VisitorCommand,
  onFurtherLine: (line: string) => void,
): Promise<{ socket: Socket; message: KeeperMessage } | null> {
  const deadline = performance.now() + ANSWER_MS;
  for (;;) {
    const line = await firstLine(socketPath, command, onFurtherLine, deadline - performance.now());
    if (line === 'nobody') return null;
    if (line !== 'closed') return { socket: line.socket, message: understood(socketPath, line) };
    if (performance.now() > deadline) throw new CowherdError('KEEPER_NO_ANSWER', { detail: socketPath });
    await sleep(LOOK_EVERY_MS);
  }
}

interface FirstLine {
  socket: Socket;
  text: string;
}

function firstLine(
  socketPath: string,
  command: VisitorCommand,
  onFurtherLine: (line: string) => void,
  withinMs: number,
): Promise<FirstLine | 'nobody' | 'closed'> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    let answered = false;
    const fail = (error: CowherdError): void => {
      reject(error);
      socket.destroy();
    };
    // For the whole line: byte by byte is no answer.
    const late = setTimeout(() => fail(new CowherdError('KEEPER_NO_ANSWER', { detail: socketPath })), withinMs);
    socket.on('error', (error) => resolve(isSystemError(error, 'ENOENT', 'ECONNREFUSED') ? 'nobody' : 'closed'));
    socket.on('close', () => {
      clearTimeout(late);
      resolve('closed');
    });
    onLines(
      socket,
      (text) => {
        if (answered) {
          onFurtherLine(text);
          return;
        }
        answered = true;
        clearTimeout(late);
        resolve({ socket, text });
      },
      {
        mostCharacters: LONGEST_LINE,
        onTooLong: () => fail(unexpected(socketPath, `a line of more than ${LONGEST_LINE} characters`)),
      },
    );
    socket.write(`${JSON.stringify(command)}\n`);
  });
}

function understood(socketPath: string, { socket, text }: FirstLine): KeeperMessage {
  let error = unexpected(socketPath, text.slice(0, 200));
  try {
    const message = v.safeParse(keeperMessage, JSON.parse(text));
    if (!message.success) error = unexpected(socketPath, v.summarize(message.issues));
    else if (message.output.type !== 'refused') return message.output;
    else error = CowherdError.named(message.output.code, `${socketPath}: ${message.output.detail}`);
  } catch {
    // Not JSON: an unexpected message.
  }
  socket.destroy();
  throw error;
}

function unexpected(socketPath: string, what: string): CowherdError {
  return new CowherdError('PROTOCOL_MISMATCH', { detail: `the keeper at ${socketPath} said ${what}` });
}
