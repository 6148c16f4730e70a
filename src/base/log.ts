/**
 * The supervisor's log, on stderr. On a terminal it has readable lines in gunicorn's own form, to match the workers'
 * lines. Otherwise it has one JSON object per line, with the keys of the agent's lines
 * (agent/cowherd_agent/logs/logs.py): level, time, pid, logger, msg.
 */
import { writeSync } from 'node:fs';
import pino from 'pino';
import pc from 'picocolors';
import type { LogFormat } from './log-format.ts';
import { escapeInJson, printableLines } from './printable.ts';

/** gunicorn's names (gunicorn/glogging.py, LOG_LEVELS). */
export const LOG_LEVELS = ['debug', 'info', 'warning', 'error', 'critical'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export function isLogLevel(name: string): name is LogLevel {
  return LOG_LEVELS.some((level) => level === name);
}

const PINO_LEVELS = { debug: 'debug', info: 'info', warning: 'warn', error: 'error', critical: 'fatal' } as const;
const LEVEL_OF_PINO: Readonly<Record<string, LogLevel>> = { warn: 'warning', fatal: 'critical', trace: 'debug' };

export interface Log {
  debug(text: string, data?: LogData): void;
  info(text: string, data?: LogData): void;
  warning(text: string, data?: LogData): void;
  error(text: string, data?: LogData): void;
  critical(text: string, data?: LogData): void;
  setLevel(level: LogLevel): void;
}

/** Additional keys of a JSON line. Readable lines leave them out, so the text must say everything important. */
export type LogData = Readonly<Record<string, unknown>>;

export interface LogOptions {
  readonly format: LogFormat;
  readonly level?: LogLevel;
  /** Colours in the text format; by default according to the terminal, NO_COLOR and FORCE_COLOR. */
  readonly color?: boolean;
  /** Receives each line, with its newline; by default it is written to stderr, at once. */
  readonly write?: (line: string) => void;
}

export function createLog(options: LogOptions): Log {
  const write = options.write ?? writeToStderr;
  const colors = pc.createColors(options.color ?? pc.isColorSupported);
  const destination =
    options.format === 'json'
      ? { write: (line: string) => write(escapeInJson(line)) }
      : { write: (line: string) => write(`${formatLine(JSON.parse(line), colors)}\n`) };
  const logger = pino(
    {
      level: PINO_LEVELS[options.level ?? 'info'],
      base: { pid: process.pid, logger: 'cowherd' },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: LEVEL_OF_PINO[label] ?? label }) },
    },
    destination,
  );
  return {
    debug: (text, data = {}) => logger.debug(data, text),
    info: (text, data = {}) => logger.info(data, text),
    warning: (text, data = {}) => logger.warn(data, text),
    error: (text, data = {}) => logger.error(data, text),
    critical: (text, data = {}) => logger.fatal(data, text),
    setLevel: (level) => {
      logger.level = PINO_LEVELS[level];
    },
  };
}

interface LogLine {
  readonly level: string;
  readonly time: string;
  readonly pid: number;
  readonly msg: string;
}

/**
 * Foreign text in a message can neither control a terminal nor pass for a line of the log: further lines, for example
 * of a stack, are indented.
 *
 * gunicorn's error log format: `[2026-01-31 12:00:00 +0000] [4711] [INFO] text` (gunicorn/glogging.py, error_fmt).
 */
function formatLine(line: LogLine, colors: ReturnType<typeof pc.createColors>): string {
  const level = `[${line.level.toUpperCase()}]`;
  const colored =
    line.level === 'warning'
      ? colors.yellow(level)
      : ['error', 'critical'].includes(line.level)
        ? colors.red(level)
        : level;
  return `${colors.dim(`[${localTime(new Date(line.time))}] [${line.pid}]`)} ${colored} ${printableLines(line.msg)}`;
}

/** `%Y-%m-%d %H:%M:%S %z` of strftime(3), in the machine's own time zone. */
function localTime(moment: Date): string {
  const two = (value: number): string => String(Math.trunc(value)).padStart(2, '0');
  const offsetMinutes = -moment.getTimezoneOffset();
  const offset = `${offsetMinutes < 0 ? '-' : '+'}${two(Math.abs(offsetMinutes) / 60)}${two(Math.abs(offsetMinutes) % 60)}`;
  const date = `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
  return `${date} ${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())} ${offset}`;
}

/** Synchronous, so that the last line before the process ends is written. An unread log must stop nothing. */
function writeToStderr(line: string): void {
  try {
    writeSync(2, line);
  } catch {
    // Closed (EPIPE), full, or a non-blocking terminal that is behind (EAGAIN): the line is lost.
  }
}
