/** The bundled Django application, small, with a separate database. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { PYTHON, ROOT } from './cowherd.ts';

export const FEED = path.join(ROOT, 'examples', 'feed');

/** Makes and fills a database in this folder. Returns the environment that the application needs to use it. */
export function prepareFeed(folder: string): Record<string, string> {
  const env = {
    FEED_HEAP_MIB: '8',
    FEED_CACHE_MIB: '4',
    FEED_USERS: '40',
    FEED_POSTS: '300',
    FEED_DATABASE: path.join(folder, 'feed.sqlite3'),
  };
  execFileSync(PYTHON, ['manage.py', 'prepare'], { cwd: FEED, env: { ...process.env, ...env }, stdio: 'pipe' });
  return env;
}
