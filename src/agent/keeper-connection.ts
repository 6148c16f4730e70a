/** Talks with a keeper: one JSON object a line over its file descriptor 3, each checked against `messages.ts`. */
import * as v from 'valibot';
import type { KeeperProcess, KeeperProcessHandlers } from './keeper-process.ts';
import { keeperMessage, type KeeperMessage } from './messages.ts';

export interface KeeperHandlers extends Omit<KeeperProcessHandlers, 'onLine'> {
  onMessage(message: KeeperMessage): void;
  /** A line that is no message of this protocol: the two sides are of different versions. */
  onUnreadable(line: string, reason: string): void;
}

/** Hears a keeper from now on, and what it has said before. */
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
  const message = v.safeParse(keeperMessage, parsed);
  if (message.success) handlers.onMessage(message.output);
  else handlers.onUnreadable(line, v.summarize(message.issues));
}
