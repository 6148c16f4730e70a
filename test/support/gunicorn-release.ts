/** Releases of gunicorn beside the checkout's own. Each is installed once, into .cache/. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { PYTHON, ROOT } from './cowherd.ts';

/** A folder to put on the path before the checkout's own gunicorn. */
export function installedGunicorn(release: string): string {
  const folder = path.join(ROOT, '.cache', `gunicorn-${release}`);
  if (!existsSync(path.join(folder, 'gunicorn', '__init__.py'))) {
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--target', folder];
    execFileSync(PYTHON, [...pip, `gunicorn==${release}`], { stdio: 'pipe' });
  }
  return folder;
}
