/**
 * Directs the supervisor's own lines: to stderr until the settings are known, then to gunicorn's `errorlog`, where its
 * users look for an arbiter's lines, and to syslog if the settings say so.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { createLog, type Log, type LogLevel } from '../../base/log.ts';
import type { LogFormat } from '../../base/log-format.ts';
import type { SyslogTarget } from '../../agent/messages.ts';
import { SyslogRelay } from './syslog-relay.ts';

export interface SupervisorLog extends Log {
  /** Appends to gunicorn's errorlog from now on (`-` is stderr), and sends each line to syslog if there is a target. */
  follow(settings: { errorlog: string; syslog?: SyslogTarget | null | undefined }): void;
  /** Reopens the file after it was rotated (SIGUSR1). */
  reopen(): void;
  /** Resolves when the last lines were sent. */
  close(): Promise<void>;
}

/**
 * @param chosenFormat the format asked for; without one a log file has readable lines
 * @param python the interpreter that runs the syslog relay
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
  const syslog = new SyslogLog(python, () => {
    current.warning("The supervisor's own lines do not reach syslog any more");
  });
  return {
    ...logEach((each, text, data) => {
      current[each](text, data);
      syslog.log?.[each](text);
    }),
    setLevel(next) {
      level = next;
      current.setLevel(next);
      syslog.log?.setLevel(next);
    },
    follow({ errorlog, syslog: target }) {
      syslog.follow(target ?? null, level);
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
      await syslog.close();
    },
  };
}

/** The log to syslog, if the settings ask for one. */
class SyslogLog {
  readonly #python: string;
  readonly #onLost: () => void;
  #target = 'null';
  #relay: SyslogRelay | null = null;
  log: Log | null = null;

  /** @param onLost called when lines no longer get through */
  constructor(python: string, onLost: () => void) {
    this.#python = python;
    this.#onLost = onLost;
  }

  follow(target: SyslogTarget | null, level: LogLevel): void {
    const wanted = JSON.stringify(target);
    if (wanted === this.#target) return;
    this.#target = wanted;
    void this.close();
    this.#relay = null;
    this.log = null;
    if (target === null) return;
    const relay = new SyslogRelay(this.#python, target, () => {
      if (this.#relay !== relay) return;
      this.log = null;
      this.#onLost();
    });
    this.#relay = relay;
    this.log = createLog({ format: 'json', level, write: (line) => relay.write(line) });
  }

  async close(): Promise<void> {
    await this.#relay?.close();
  }
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
