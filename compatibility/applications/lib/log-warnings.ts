/** What Cowherd has warned of, from its log. Pure. */

export interface LoggedWarning {
  readonly level: string;
  /** Numbers of processes and the like as `N`, so that one warning of four workers is one. */
  readonly text: string;
  readonly times: number;
}

const LEVELS = new Set(['warning', 'error', 'critical']);
/** Cowherd's own, and gunicorn's; an application's loggers may write JSON too. */
const LOGGERS = new Set(['cowherd', 'gunicorn.error']);

export function warningsIn(log: string): LoggedWarning[] {
  const times = new Map<string, LoggedWarning>();
  for (const line of log.split('\n')) {
    const entry = parse(line);
    if (entry === null || !LEVELS.has(entry.level) || !LOGGERS.has(entry.logger)) continue;
    const text = entry.msg.replaceAll(/\b\d+\b/g, 'N');
    const key = `${entry.level} ${text}`;
    times.set(key, { level: entry.level, text, times: (times.get(key)?.times ?? 0) + 1 });
  }
  return [...times.values()];
}

function parse(line: string): { level: string; logger: string; msg: string } | null {
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
