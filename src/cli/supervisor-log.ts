/**
 * Where the supervisor's own lines go: stderr until the settings are known, then gunicorn's
 * `errorlog`, where its users look for an arbiter's lines; and to syslog, where the settings say so.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { createLog, type Log, type LogLevel } from '../base/log.ts';
import type { LogFormat } from '../base/log-format.ts';
import type { SyslogTarget } from '../agent/messages.ts';
import { SyslogRelay } from './syslog-relay.ts';

export interface SupervisorLog extends Log {
  /** Appends to gunicorn's errorlog from now on; `-` is stderr. Each line goes to syslog too, if there is a target. */
  follow(settings: { errorlog: string; syslog?: SyslogTarget | null | undefined }): void;
  /** Opens the file anew, after somebody has rotated it (SIGUSR1). */
  reopen(): void;
  /** Resolves when the last lines are sent. */
  close(): Promise<void>;
}

/**
 * @param chosenFormat the format that was asked for; a log file is readable lines otherwise
 * @param python what sends to syslog
 */
export function createSupervisorLog(format: LogFormat, chosenFormat: LogFormat | null, python: string): SupervisorLog {
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
  let syslog: Log | null = null;
  let relay: SyslogRelay | null = null;
  let relayed = '';
  const relayTo = (target: SyslogTarget | null | undefined): void => {
    const wanted = JSON.stringify(target ?? null);
    if (wanted === (relayed || 'null')) return;
    relayed = wanted;
    void relay?.close();
    relay = null;
    syslog = null;
    if (target === undefined || target === null) return;
    const next = new SyslogRelay(python, target, () => {
      if (relay !== next) return;
      syslog = null;
      current.warning("The supervisor's own lines do not reach syslog any more");
    });
    relay = next;
    syslog = createLog({ format: 'json', level, write: (line) => next.write(line) });
  };
  return {
    ...logEach((each, text, data) => {
      current[each](text, data);
      syslog?.[each](text);
    }),
    setLevel(next) {
      level = next;
      current.setLevel(next);
      syslog?.setLevel(next);
    },
    follow({ errorlog, syslog: target }) {
      relayTo(target);
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
    async close() {
      await relay?.close();
    },
  };
}

function logEach(
  write: (level: LogLevel, text: string, data?: Parameters<Log['info']>[1]) => void,
): Pick<Log, LogLevel> {
  return {
    debug: (text, data) => write('debug', text, data),
    info: (text, data) => write('info', text, data),
    warning: (text, data) => write('warning', text, data),
    error: (text, data) => write('error', text, data),
    critical: (text, data) => write('critical', text, data),
  };
}
