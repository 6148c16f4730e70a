/** The supervisor's side of the control socket; see control.ts. */
import { chmodSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import * as v from 'valibot';
import { onLines } from '../../base/lines.ts';
import { CONTROL_VERSION, type ControlOrder, type ControlReply, type ControlRequest } from './control-messages.ts';
import type { Answer } from '../herd/draft.ts';
import { CONTROL_SOCKET } from '../runtime-directory/runtime-directory.ts';
import { MOST_WORKERS } from '../herd/state.ts';
import type { StatusReport } from './status.ts';

const integer = v.pipe(v.number(), v.integer());

const request: v.GenericSchema<unknown, ControlRequest> = v.variant('type', [
  v.object({ type: v.literal('status'), version: integer }),
  v.object({ type: v.literal('stop'), version: integer, quick: v.boolean() }),
  v.object({
    type: v.literal('scale'),
    version: integer,
    workers: v.pipe(integer, v.minValue(1), v.maxValue(MOST_WORKERS)),
  }),
  v.object({ type: v.literal('reload'), version: integer }),
  v.object({ type: v.literal('rollback'), version: integer }),
  v.object({ type: v.literal('refork'), version: integer }),
  v.object({ type: v.literal('merge'), version: integer }),
]);

/** A request has some 50 characters. */
const LONGEST_REQUEST = 4096;
const MOST_VISITORS = 64;
/** The most requests of one visitor: a command asks once, and connects again to ask more. */
const MOST_REQUESTS = 100;
const IDLE_MS = 10_000;
/** The most bytes of unread answers. The status of 1,000 workers has some 700,000. */
const MOST_UNREAD_BYTES = 8 * 1024 * 1024;

export interface ControlHandlers {
  status(): StatusReport;
  stop(quick: boolean): void;
  order(order: ControlOrder): Answer | null;
}

/** Listens on the runtime directory's control socket. */
export function serveControl(directory: string, handlers: ControlHandlers, idleMs = IDLE_MS): Promise<Server> {
  const path = join(directory, CONTROL_SOCKET);
  const visitors = new Set<Socket>();
  const server = createServer((socket) => {
    // The oldest visitor goes, so that others can connect: a command is answered at once.
    const [oldest] = visitors;
    if (visitors.size >= MOST_VISITORS) oldest?.destroy();
    visitors.add(socket);
    socket.on('close', () => visitors.delete(socket));
    socket.setTimeout(idleMs, () => socket.destroy());
    let requests = 0;
    onLines(
      socket,
      (line) => {
        if (socket.destroyed) return;
        requests += 1;
        socket.write(`${JSON.stringify(answerTo(line, handlers))}\n`);
        if (requests >= MOST_REQUESTS || socket.writableLength > MOST_UNREAD_BYTES) socket.destroy();
      },
      { mostCharacters: LONGEST_REQUEST, onTooLong: () => socket.destroy() },
    );
    socket.on('error', () => {
      // The command was interrupted; nobody waits for the answer.
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      chmodSync(path, 0o600);
      // The socket must not keep the supervisor alive on its own.
      server.unref();
      resolve(server);
    });
  });
}

function answerTo(line: string, handlers: ControlHandlers): ControlReply {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return { type: 'refused', reason: 'not a JSON object' };
  }
  const message = v.safeParse(request, parsed);
  if (!message.success) return { type: 'refused', reason: v.summarize(message.issues) };
  if (message.output.version !== CONTROL_VERSION) {
    return {
      type: 'refused',
      reason: `this supervisor speaks control version ${CONTROL_VERSION}, not ${message.output.version}`,
    };
  }
  if (message.output.type === 'status') return { type: 'status', report: handlers.status() };
  if (message.output.type === 'stop') {
    handlers.stop(message.output.quick);
    return { type: 'stopping', pid: process.pid };
  }
  const answer = handlers.order(message.output);
  return { type: 'answered', accepted: false, text: 'nothing was decided', generation: null, ...answer };
}
