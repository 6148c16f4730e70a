/** Errors of the catalogue, and system errors. */
import { catalogue } from './error-catalogue.ts';

export type ErrorCode = keyof typeof catalogue;

export function isErrorCode(value: string): value is ErrorCode {
  return Object.hasOwn(catalogue, value);
}

export interface CowherdErrorOptions extends ErrorOptions {
  /** The object of the error: an address, a path, a name. No full stop at the end. */
  readonly detail?: string;
  /** Replaces the catalogue's advice when more is known, such as the exact pip line. */
  readonly advice?: string;
  /** Printed above the error: a table of the possible choices. */
  readonly above?: string;
}

/** An error that a person can act on. Its message says what happened, to what, and what to do next. */
export class CowherdError extends Error {
  readonly code: ErrorCode;
  readonly exitStatus: number;
  readonly title: string;
  readonly detail: string | null;
  readonly advice: string;
  readonly above: string | null;

  constructor(code: ErrorCode, options: CowherdErrorOptions = {}) {
    const { exitStatus, title, advice: usualAdvice } = catalogue[code];
    const { detail, advice = usualAdvice } = options;
    super(`${detail === undefined ? title : `${title}: ${detail}`}. ${advice}`, options);
    this.name = 'CowherdError';
    this.code = code;
    this.exitStatus = exitStatus;
    this.title = title;
    this.detail = detail ?? null;
    this.advice = advice;
    this.above = options.above ?? null;
  }

  /** Makes an error from a code that the agent sent as text. An unknown code becomes `INTERNAL`. */
  static named(code: string, detail: string): CowherdError {
    if (!isErrorCode(code)) return new CowherdError('INTERNAL', { detail: `${code}: ${detail}` });
    // The detail is the interpreter, so that the line can be exact.
    if (code === 'NO_GUNICORN') return new CowherdError(code, { detail, advice: pipLine(detail) });
    return new CowherdError(code, { detail });
  }
}

function pipLine(python: string): string {
  return `Install it there: ${python} -m pip install 'gunicorn>=23'`;
}

/** Whether this is a system error, as Node throws it, with one of these codes; without codes, any system error. */
export function isSystemError(error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  return codes.length === 0 || codes.includes(error.code);
}
