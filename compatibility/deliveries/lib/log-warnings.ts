/** What a server has warned of, from its log, JSON or gunicorn's own text. Pure. */

export interface LoggedWarning {
  readonly level: string;
  /** Process numbers and the like as `N`, so that one warning of four workers is one. */
  readonly text: string;
  readonly times: number;
}

const LEVELS = new Set(['warning', 'error', 'critical']);

export function warningsIn(log: string): LoggedWarning[] {
  const found = new Map<string, LoggedWarning>();
  for (const line of log.split('\n')) {
    const entry = parseJson(line) ?? parseText(line);
    if (entry === null || !LEVELS.has(entry.level)) continue;
    const text = entry.msg.replaceAll(/\b\d+\b/g, 'N');
    const key = `${entry.level} ${text}`;
    found.set(key, { level: entry.level, text, times: (found.get(key)?.times ?? 0) + 1 });
  }
  return [...found.values()];
}

/** Lines of neither form: what the application and its libraries have printed. */
export function printedIn(log: string): string[] {
  return log.split('\n').filter((line) => line.trim() !== '' && parseJson(line) === null && parseText(line) === null);
}

interface Entry {
  readonly level: string;
  readonly msg: string;
}

function parseJson(line: string): Entry | null {
  if (!line.startsWith('{')) return null;
  try {
    const { level, msg } = JSON.parse(line) as Record<string, unknown>;
    return typeof level === 'string' && typeof msg === 'string' ? { level, msg } : null;
  } catch {
    return null;
  }
}

/** `[2026-11-23 14:17:08 +0000] [1619] [INFO] Booting …` */
function parseText(line: string): Entry | null {
  const [, level, msg] = /^\[[^\]]+\] \[\d+\] \[([A-Z]+)\] (.*)$/.exec(line) ?? [];
  return level === undefined || msg === undefined ? null : { level: level.toLowerCase(), msg };
}
