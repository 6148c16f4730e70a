/** The supervisor's side of the control socket; see control.ts. */
import { chmodSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { CONTROL_VERSION, onLines, type ControlReply, type ControlRequest } from './control.ts';
import { CONTROL_SOCKET } from './runtime-directory.ts';
import type { StatusReport } from './status.ts';

const request: z.ZodType<ControlRequest> = z.discriminatedUnion('type', [
  z.object({ type: z.literal('status'), version: z.number().int() }),
  z.object({ type: z.literal('stop'), version: z.number().int(), quick: z.boolean() }),
  z.object({ type: z.literal('scale'), version: z.number().int(), by: z.number().int() }),
]);

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
