/** Reads a server's log: Cowherd's JSON lines, and gunicorn's text lines. Pure. */

export interface LogLine {
  readonly level: string;
  /** Null in gunicorn's text form, which names none. */
  readonly logger: string | null;
  readonly msg: string;
}

export interface LoggedWarning {
  readonly level: string;
  /** Numbers of processes and the like as `N`, so that one warning of four workers is one. */
  readonly text: string;
  readonly times: number;
}

/** The levels from warning on. */
export const GRAVE: ReadonlySet<string> = new Set(['warning', 'error', 'critical']);

/** Cowherd's own, and gunicorn's; an application's loggers may write JSON too. */
const LOGGERS = new Set(['cowherd', 'gunicorn.error']);

/** `[2026-11-23 14:17:08 +0000] [1619] [INFO] Booting …`, as in gunicorn/glogging.py. */
const GUNICORN_LINE = /^\[[^\]]+\] \[\d+\] \[(?<level>[A-Z]+)\] (?<msg>.*)$/;

/** A line of the log; null for what the application or a library has printed. */
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

/** What the server has warned of, alike ones once; nothing of the application's own loggers. */
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

/** What the application and its libraries have printed. */
export function printedIn(log: string): string[] {
  return log.split('\n').filter((line) => line.trim() !== '' && parseLine(line) === null);
}
