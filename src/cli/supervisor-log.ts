/**
 * Where the supervisor's own lines go: stderr until the settings are known, then gunicorn's
 * `errorlog`, where its users look for an arbiter's lines.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { createLog, type Log, type LogLevel } from '../base/log.ts';
import type { LogFormat } from '../base/log-format.ts';

export interface SupervisorLog extends Log {
  /** Appends to gunicorn's errorlog from now on; `-` is stderr. */
  follow(errorlog: string): void;
  /** Opens the file anew, after somebody has rotated it (SIGUSR1). */
  reopen(): void;
}

/** @param chosenFormat the format that was asked for; a log file is readable lines otherwise. */
export function createSupervisorLog(format: LogFormat, chosenFormat: LogFormat | null): SupervisorLog {
  let current = createLog({ format });
  let level: LogLevel = 'info';
  let path: string | null = null;
  let descriptor: number | null = null;
  const open = (): void => {
    if (path === null) return;
    if (descriptor !== null) closeSync(descriptor);
    descriptor = null;
    try {
      descriptor = openSync(path, 'a', 0o644);
    } catch (error) {
      current.error(`The error log ${path} can't be opened: ${String(error)}`);
    }
  };
  return {
    debug: (text, data) => current.debug(text, data),
    info: (text, data) => current.info(text, data),
    warning: (text, data) => current.warning(text, data),
    error: (text, data) => current.error(text, data),
    critical: (text, data) => current.critical(text, data),
    setLevel(next) {
      level = next;
      current.setLevel(next);
    },
    follow(errorlog) {
      if (errorlog === '-' || errorlog === path) return;
      path = errorlog;
      open();
      if (descriptor === null) return;
      current = createLog({
        format: chosenFormat ?? 'text',
        level,
        color: false,
        write: (line) => {
          if (descriptor !== null) writeSync(descriptor, line);
        },
      });
    },
    reopen: open,
  };
}
