/** Reads a server's log: Cowherd's JSON lines, and gunicorn's text lines. Pure. */

export interface LogLine {
  readonly level: string;
  /** Null in gunicorn's text format, which names no logger. */
  readonly logger: string | null;
  readonly msg: string;
}

export interface LoggedWarning {
  readonly level: string;
  /** Pids and other numbers are replaced by `N`, so that the same warning of four workers is one. */
  readonly text: string;
  readonly times: number;
}

/** The levels from warning up. */
export const GRAVE: ReadonlySet<string> = new Set(['warning', 'error', 'critical']);

/** The loggers of Cowherd and gunicorn. An application's loggers may write JSON too. */
const LOGGERS = new Set(['cowherd', 'gunicorn.error']);

/** `[2026-11-23 14:17:08 +0000] [1619] [INFO] Booting …`, as in gunicorn/glogging.py. */
const GUNICORN_LINE = /^\[[^\]]+\] \[\d+\] \[(?<level>[A-Z]+)\] (?<msg>.*)$/;

/** Parses a line of the log; null for a line that the application or a library has printed. */
export function parseLine(line: string): LogLine | null {
  const text = GUNICORN_LINE.exec(line)?.groups;
  if (text?.['level'] !== undefined) {
    return { level: text['level'].toLowerCase(), logger: null, msg: text['msg'] ?? '' };
  }
  if (!line.startsWith('{')) return null;
  try {
    const { level, logger, msg } = JSON.parse(line) as Record<string, unknown>;
    return typeof level === 'string' && typeof logger === 'string' && typeof msg === 'string'
      ? { level, logger, msg }
      : null;
  } catch {
    return null;
  }
}

/** The server's warnings, similar ones once, without those of the application's own loggers. */
export function warningsIn(log: string): LoggedWarning[] {
  const found = new Map<string, LoggedWarning>();
  for (const line of log.split('\n')) {
    const entry = parseLine(line);
    if (entry === null || !GRAVE.has(entry.level)) continue;
    if (entry.logger !== null && !LOGGERS.has(entry.logger)) continue;
    const text = entry.msg.replaceAll(/\b\d+\b/g, 'N');
    const key = `${entry.level} ${text}`;
    found.set(key, { level: entry.level, text, times: (found.get(key)?.times ?? 0) + 1 });
  }
  return [...found.values()];
}

/** The lines that the application and its libraries have printed. */
export function printedIn(log: string): string[] {
  return log.split('\n').filter((line) => line.trim() !== '' && parseLine(line) === null);
}
