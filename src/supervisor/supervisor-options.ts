/** What a supervisor is started with, and what it ends with. */
import type { Settings } from '../agent/messages.ts';
import type { CowherdError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { NotifySocket } from './service-manager/notify-socket.ts';
import type { StartUp } from './start-up.ts';

export interface SupervisorOptions {
  /** The keeper, which has been ordered to start the first mold. */
  startUp: StartUp;
  log: Log;
  /** Of the service manager that has started this process, if one has. */
  notifySocket: NotifySocket | null;
  /** Where progress is renewed in place; `null` without a terminal. */
  terminal: NodeJS.WriteStream | null;
  /** Called when signals and the keeper are listened to. */
  onListening?: () => void;
  /** Called each time a mold has read the settings. */
  onConfigured?: (settings: Settings) => void;
  /** Called when log files are to be opened anew. */
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
