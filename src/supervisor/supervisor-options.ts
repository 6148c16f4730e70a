/** A supervisor's input and its result. */
import type { Settings } from '../agent/messages.ts';
import { CowherdError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { NotifySocket } from './service-manager/notify-socket.ts';
import type { StartUp } from './start-up.ts';

export interface SupervisorOptions {
  /** The keeper, which has already been ordered to start the first mold. */
  startUp: StartUp;
  log: Log;
  /** The socket of the service manager that started this process; `null` if none did. */
  notifySocket: NotifySocket | null;
  /** Where progress is updated in place; `null` without a terminal. */
  terminal: NodeJS.WriteStream | null;
  /** Called once signals and the keeper have listeners. */
  onListening?: () => void;
  /** Called each time settings become the herd's. */
  onConfigured?: (settings: Settings) => void;
  /** Called when log files must be reopened. */
  onReopenLogs?: () => void;
  /** Called when as many workers as wanted are ready for the first time. */
  onServing?: () => void;
}

export interface SupervisorResult {
  exitStatus: number;
  error: CowherdError | null;
  /** The settings ask for a background process, which the caller starts. */
  daemonize: boolean;
}

/** @param error an error of the catalogue, whose exit status counts */
export function resultOf(
  exitStatus: number,
  error: { readonly code: string; readonly detail: string } | null,
  daemonize: boolean,
): SupervisorResult {
  const known = error === null ? null : CowherdError.named(error.code, error.detail);
  return { exitStatus: known?.exitStatus ?? exitStatus, error: known, daemonize };
}
