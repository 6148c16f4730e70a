/** Paths in the checkout. */
import { existsSync } from 'node:fs';
import path from 'node:path';

export const CHECKOUT = path.resolve(import.meta.dirname, '../..');
export const RESULTS = path.join(CHECKOUT, 'bench', 'results');
export const FEED = path.join(CHECKOUT, 'examples', 'feed');
export const HELLO = path.join(CHECKOUT, 'examples', 'hello');
/** Applications that only benchmarks serve. */
export const APPS = path.join(CHECKOUT, 'bench', 'apps');
export const PYTHON = path.join(CHECKOUT, '.venv', 'bin', 'python');
export const GUNICORN = path.join(CHECKOUT, '.venv', 'bin', 'gunicorn');
/** From the package pyuwsgi: uWSGI's own sources as a wheel, which needs no compiler and serves as uwsgi does. */
export const UWSGI = path.join(CHECKOUT, '.venv', 'bin', 'uwsgi');
export const COWHERD = path.join(CHECKOUT, 'bin', 'cowherd');

/** Throws if `make install` has not been run. */
export function requireInstalled(): void {
  const missing = [PYTHON, GUNICORN, UWSGI, COWHERD].filter((file) => !existsSync(file));
  if (missing.length > 0) throw new Error(`${missing.join(', ')} not found; run \`make install build\` first`);
}
