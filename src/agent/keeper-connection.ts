/**
 * The connection to a keeper: one JSON object per line over its file descriptor 3, each checked against `messages.ts`.
 */
import * as v from 'valibot';
import type { KeeperProcess, KeeperProcessHandlers } from './keeper-process.ts';
import { keeperMessage, type KeeperMessage } from './messages.ts';

export interface KeeperHandlers extends Omit<KeeperProcessHandlers, 'onLine'> {
  onMessage(message: KeeperMessage): void;
  /** A line that is no message of this protocol: the two sides have different versions. */
  onUnreadable(line: string, reason: string): void;
}

/** Listens to a keeper, including its earlier messages. */
export function hearKeeper(keeper: KeeperProcess, handlers: KeeperHandlers): void {
  keeper.attach({
    onLine: (line) => receive(line, handlers),
    onSpawnFailed: (error) => handlers.onSpawnFailed(error),
    onExit: (exitStatus, signal) => handlers.onExit(exitStatus, signal),
  });
}

function receive(line: string, handlers: KeeperHandlers): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (error) {
    handlers.onUnreadable(line, String(error));
    return;
  }
  const message = understood(parsed);
  if (typeof message === 'string') handlers.onUnreadable(line, message);
  else handlers.onMessage(message);
}

const sender = v.object({
  type: v.picklist(['from_mold', 'from_worker']),
  generation: v.number(),
  pid: v.optional(v.number()),
  message: v.object({ type: v.optional(v.string(), '?') }),
});

/**
 * Returns a keeper's message, or why the line is none. The keeper is not blamed for relayed messages: nonsense from a
 * mold or a worker becomes a `bad_message`.
 */
export function understood(parsed: unknown): KeeperMessage | string {
  const message = v.safeParse(keeperMessage, parsed);
  if (message.success) return message.output;
  const why = v.summarize(message.issues);
  const relayed = v.safeParse(sender, parsed);
  if (!relayed.success) return why;
  const { generation, pid, message: said } = relayed.output;
  const reason = `${said.type.slice(0, 40)}: ${why.replaceAll(/\s+/g, ' ').slice(0, 200)}`;
  return { type: 'bad_message', pid: pid ?? null, generation, reason };
}
