/**
 * The control socket: what the commands ask a running supervisor, one JSON object a line. This is the messages of both
 * sides, and the side of the commands; control-server.ts is the supervisor's.
 *
 * The socket is in the runtime directory, open to its owner only.
 */
import { connect } from 'node:net';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CowherdError, type ErrorCode } from '../base/errors.ts';
import { onLines } from '../base/lines.ts';
import type { CensusReport } from './census.ts';
import type { Answer } from './draft.ts';
import type { Looked } from '../agent/keeper-door.ts';
import { CONTROL_SOCKET, KEEPER_SOCKET } from './runtime-directory.ts';
import type { StatusReport } from './status.ts';

/** Raised with every change that an older command could not understand. */
export const CONTROL_VERSION = 1;

/** A supervisor answers within milliseconds; after this time it is stopped, or the machine is at its end. */
const ANSWER_MS = 5000;

export type ControlRequest =
  | { type: 'status'; version: number }
  | { type: 'stop'; version: number; quick: boolean }
  /** Of the generation that serves; `start`: have one taken, if there is none. */
  | { type: 'census'; version: number; start: boolean }
  | ControlOrder;

/** What a herd can be told to do while it serves. */
export type ControlOrder =
  | { type: 'scale'; version: number; workers: number }
  | { type: 'reload'; version: number }
  | { type: 'rollback'; version: number }
  | { type: 'refork'; version: number }
  /** Have molds and workers let the kernel merge their memory. */
  | { type: 'merge'; version: number };

export type ControlReply =
  | { type: 'status'; report: StatusReport }
  | { type: 'stopping'; pid: number }
  | { type: 'census'; census: CensusReport }
  /** Whether an order is carried out; `generation` is the one that a rollout leads to. */
  | ({ type: 'answered' } & Answer)
  | { type: 'refused'; reason: string };

/**
 * Asks the supervisor of a runtime directory.
 *
 * @throws CowherdError NOT_RUNNING when nobody listens, NO_ANSWER when a supervisor that is there does not answer,
 *   PROTOCOL_MISMATCH when it refuses; SUPERVISOR_GONE, KEEPER_NO_ANSWER when only a herd without a supervisor is there.
 */
export async function ask(directory: string, message: ControlRequest): Promise<ControlReply> {
  try {
    return await askSupervisor(directory, message);
  } catch (error) {
    const isGone = error instanceof CowherdError && error.code === 'NOT_RUNNING';
    const orphaned = isGone ? await orphanedHerd(directory) : null;
    if (orphaned === null) throw error;
    const { pid, workers } = orphaned;
    const detail = `${directory}, with ${workers.length} worker(s) of keeper ${pid}`;
    throw new CowherdError('SUPERVISOR_GONE', { detail, cause: error });
  }
}

/** What a keeper without a supervisor says of its herd; `null` when there is no such keeper. */
async function orphanedHerd(directory: string): Promise<Looked | null> {
  const door = join(directory, KEEPER_SOCKET);
  if (!existsSync(door)) return null;
  const { look } = await import('../agent/keeper-door.ts');
  const looked = await look(door);
  return looked?.supervised === false ? looked : null;
}

async function askSupervisor(directory: string, message: ControlRequest): Promise<ControlReply> {
  const path = join(directory, CONTROL_SOCKET);
  if (!existsSync(path)) throw new CowherdError('NOT_RUNNING', { detail: directory });
  const reply = await new Promise<ControlReply>((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', (error) => {
      reject(new CowherdError('NOT_RUNNING', { detail: directory, cause: error }));
    });
    socket.setTimeout(ANSWER_MS, () => {
      reject(new CowherdError('NO_ANSWER', { detail: directory }));
      socket.destroy();
    });
    socket.once('close', () => {
      reject(new CowherdError('NOT_RUNNING', { detail: directory }));
    });
    onLines(socket, (line) => {
      try {
        resolve(JSON.parse(line) as ControlReply);
      } catch (error) {
        reject(new CowherdError('PROTOCOL_MISMATCH', { detail: `${directory}: ${String(error)}`, cause: error }));
      }
      socket.end();
    });
    socket.write(`${JSON.stringify(message)}\n`);
  });
  if (reply.type === 'refused') {
    throw new CowherdError('PROTOCOL_MISMATCH', { detail: reply.reason });
  }
  return reply;
}

/** Whether a supervisor runs in this runtime directory, though it may be stopped or too busy to answer. */
export async function isAnswering(directory: string): Promise<boolean> {
  return await answersOr(['PROTOCOL_MISMATCH', 'NO_ANSWER'], directory);
}

/** Whether a herd is in this runtime directory, with or without a supervisor. */
export async function isThere(directory: string): Promise<boolean> {
  return await answersOr(['PROTOCOL_MISMATCH', 'NO_ANSWER', 'SUPERVISOR_GONE', 'KEEPER_NO_ANSWER'], directory);
}

async function answersOr(codes: readonly ErrorCode[], directory: string): Promise<boolean> {
  try {
    await ask(directory, { type: 'status', version: CONTROL_VERSION });
    return true;
  } catch (error) {
    return error instanceof CowherdError && codes.includes(error.code);
  }
}
