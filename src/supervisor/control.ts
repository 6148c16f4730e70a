/**
 * The control socket: what the commands ask a running supervisor, one JSON object a line.
 *
 * One typed place for both sides. The socket is in the runtime directory, open to its owner only.
 */
import { createServer, connect, type Server, type Socket } from 'node:net';
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { CowherdError } from '../base/errors.ts';
import { CONTROL_SOCKET } from './runtime-directory.ts';
import type { StatusReport } from './status.ts';

/** Raised with every change that an older command could not understand. */
export const CONTROL_VERSION = 1;

const request = z.discriminatedUnion('type', [
  z.object({ type: z.literal('status'), version: z.number().int() }),
  z.object({ type: z.literal('stop'), version: z.number().int(), quick: z.boolean() }),
  z.object({ type: z.literal('scale'), version: z.number().int(), by: z.number().int() }),
]);
export type ControlRequest = z.infer<typeof request>;

export type ControlReply =
  | { type: 'status'; report: StatusReport }
  | { type: 'stopping'; pid: number }
  | { type: 'done' }
  | { type: 'refused'; reason: string };

export interface ControlHandlers {
  status(): StatusReport;
  stop(quick: boolean): void;
  scale(by: number): void;
}

/** Listens on the runtime directory's control socket. */
export function serveControl(directory: string, handlers: ControlHandlers): Promise<Server> {
  const path = join(directory, CONTROL_SOCKET);
  const server = createServer((socket) => {
    onLines(socket, (line) => {
      socket.write(`${JSON.stringify(answer(line, handlers))}\n`);
    });
    socket.on('error', () => {
      // The command was interrupted; nobody waits for the answer.
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      chmodSync(path, 0o600);
      // It must not keep the supervisor alive on its own.
      server.unref();
      resolve(server);
    });
  });
}

function answer(line: string, handlers: ControlHandlers): ControlReply {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return { type: 'refused', reason: 'not a JSON object' };
  }
  const message = request.safeParse(parsed);
  if (!message.success) return { type: 'refused', reason: message.error.message };
  if (message.data.version !== CONTROL_VERSION) {
    return {
      type: 'refused',
      reason: `this supervisor speaks control version ${CONTROL_VERSION}, not ${message.data.version}`,
    };
  }
  if (message.data.type === 'status') return { type: 'status', report: handlers.status() };
  if (message.data.type === 'stop') {
    handlers.stop(message.data.quick);
    return { type: 'stopping', pid: process.pid };
  }
  handlers.scale(message.data.by);
  return { type: 'done' };
}

/**
 * Asks the supervisor of a runtime directory.
 *
 * @throws CowherdError NOT_RUNNING when nobody answers, PROTOCOL_MISMATCH when it refuses.
 */
export async function ask(directory: string, message: ControlRequest): Promise<ControlReply> {
  const path = join(directory, CONTROL_SOCKET);
  if (!existsSync(path)) throw new CowherdError('NOT_RUNNING', { detail: directory });
  const reply = await new Promise<ControlReply>((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', (error) => {
      reject(new CowherdError('NOT_RUNNING', { detail: directory, cause: error }));
    });
    socket.once('close', () => {
      reject(new CowherdError('NOT_RUNNING', { detail: directory }));
    });
    onLines(socket, (line) => {
      resolve(JSON.parse(line) as ControlReply);
      socket.end();
    });
    socket.write(`${JSON.stringify(message)}\n`);
  });
  if (reply.type === 'refused') {
    throw new CowherdError('PROTOCOL_MISMATCH', { detail: reply.reason });
  }
  return reply;
}

/** Whether a supervisor answers in this runtime directory. */
export async function isAnswering(directory: string): Promise<boolean> {
  try {
    await ask(directory, { type: 'status', version: CONTROL_VERSION });
    return true;
  } catch (error) {
    return error instanceof CowherdError && error.code === 'PROTOCOL_MISMATCH';
  }
}

function onLines(socket: Socket, onLine: (line: string) => void): void {
  let pending = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    pending += chunk;
    const lines = pending.split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
}
