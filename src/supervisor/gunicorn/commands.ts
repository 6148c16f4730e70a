/**
 * The commands of gunicorn's control interface (gunicorn/ctl/server.py, 25.1 to 27), as data. An error has gunicorn's
 * own words. Pure.
 */

const SHOWN = ['all', 'workers', 'dirty', 'config', 'stats', 'listeners'] as const;

export type Asked =
  | { ask: 'show'; what: (typeof SHOWN)[number] }
  | { ask: 'worker add' | 'worker remove' | 'dirty add' | 'dirty remove'; count: number }
  | { ask: 'worker kill'; pid: number }
  | { ask: 'shutdown'; mode: string }
  | { ask: 'reload' | 'reopen' | 'help' };

/** @throws Error for what is no command */
export function commandOf([first = '', ...rest]: readonly string[]): Asked {
  const name = first.toLowerCase();
  switch (name) {
    case 'show':
      return { ask: 'show', what: shown(rest) };
    case 'worker':
      return ofWorker(rest);
    case 'dirty':
      return ofDirty(rest);
    case 'shutdown':
      return { ask: 'shutdown', mode: rest[0] ?? 'graceful' };
    case 'reload':
    case 'reopen':
    case 'help':
      return { ask: name };
  }
  throw new Error(`Unknown command: ${name}`);
}

function shown([what]: readonly string[]): (typeof SHOWN)[number] {
  if (what === undefined) throw new Error(`Missing show target (${SHOWN.join('|')})`);
  const known = SHOWN.find((each) => each === what.toLowerCase());
  if (known === undefined) throw new Error(`Unknown show target: ${what.toLowerCase()}`);
  return known;
}

function ofWorker([action, argument]: readonly string[]): Asked {
  if (action === undefined) throw new Error('Missing worker action (add|remove|kill)');
  switch (action.toLowerCase()) {
    case 'add':
      return { ask: 'worker add', count: countOf(argument) };
    case 'remove':
      return { ask: 'worker remove', count: countOf(argument) };
    case 'kill':
      if (argument === undefined) throw new Error('Missing PID for worker kill');
      return { ask: 'worker kill', pid: integerOf(argument) };
  }
  throw new Error(`Unknown worker action: ${action.toLowerCase()}`);
}

function ofDirty([action, argument]: readonly string[]): Asked {
  if (action === undefined) throw new Error('Missing dirty action (add|remove)');
  switch (action.toLowerCase()) {
    case 'add':
      return { ask: 'dirty add', count: countOf(argument) };
    case 'remove':
      return { ask: 'dirty remove', count: countOf(argument) };
  }
  throw new Error(`Unknown dirty action: ${action.toLowerCase()}`);
}

/** gunicorn takes less than one for one. */
function countOf(argument: string | undefined): number {
  return argument === undefined ? 1 : Math.max(1, integerOf(argument));
}

function integerOf(text: string): number {
  const number = /^\s*[+-]?\d+\s*$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new Error(`invalid literal for int() with base 10: '${text}'`);
  return number;
}
