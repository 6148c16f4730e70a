/**
 * Splits the command line of `cowherd serve` into Cowherd's own few options and gunicorn's arguments. The latter go
 * unchanged to gunicorn's own parser in the mold.
 */
import { CowherdError } from '../../base/errors.ts';

export interface ServeArguments {
  python: string | null;
  runtimeDirectory: string | null;
  logFormat: 'text' | 'json' | null;
  help: boolean;
  /** gunicorn's `--chdir`, where `.venv` is looked for too. */
  chdir: string | null;
  /** The arguments for gunicorn's parser, in the order given. */
  rest: string[];
}

const OWN_OPTIONS = new Set(['--python', '--runtime-dir', '--log-format']);

/** @throws CowherdError USAGE if one of our options has no value, or a wrong one. */
export function parseServeArguments(argv: readonly string[]): ServeArguments {
  const own: Record<string, string> = {};
  const rest: string[] = [];
  let help = false;
  let chdir: string | null = null;
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (word === '--') {
      rest.push(...argv.slice(index));
      break;
    }
    const [name, inlineValue] = splitOption(word);
    if (word === '-h' || word === '--help') {
      help = true;
    } else if (OWN_OPTIONS.has(name)) {
      const value = inlineValue ?? argv[index + 1];
      if (inlineValue === undefined) index += 1;
      if (value === undefined || value === '') {
        throw new CowherdError('USAGE', { detail: `${name} needs a value` });
      }
      own[name] = value;
    } else {
      if (name === '--chdir') chdir = inlineValue ?? argv[index + 1] ?? null;
      rest.push(word);
    }
  }
  const logFormat = own['--log-format'] ?? null;
  if (logFormat !== null && logFormat !== 'text' && logFormat !== 'json') {
    throw new CowherdError('USAGE', { detail: `--log-format is text or json, not ${logFormat}` });
  }
  return {
    python: own['--python'] ?? null,
    runtimeDirectory: own['--runtime-dir'] ?? null,
    logFormat,
    help,
    chdir,
    rest,
  };
}

function splitOption(word: string): [string, string | undefined] {
  const equals = word.indexOf('=');
  return word.startsWith('--') && equals > 0 ? [word.slice(0, equals), word.slice(equals + 1)] : [word, undefined];
}
