/** The module that a file of Python code is, by its path; pure. */

/** What folders of modules are called, in installations and virtual environments, here and elsewhere. */
const ROOT = /^.*\/(?:(?:site|dist)-packages|python3\.\d+t?|lib-dynload)\//;
/** "<frozen importlib._bootstrap>". */
const FROZEN = /^<frozen (.+)>$/;

/**
 * Where the folder of modules can't be known, as for the application's own files, the last folder and the file:
 * "shop.views" for "/srv/site/shop/views.py". Null for what is no file, such as "<string>".
 */
export function moduleOfFile(path: string): string | null {
  const frozen = FROZEN.exec(path)?.[1];
  if (frozen !== undefined) return frozen;
  if (!path.endsWith('.py')) return null;
  const inRoot = path.replace(ROOT, '');
  const parts = inRoot
    .slice(0, -'.py'.length)
    .split('/')
    .filter((part) => part !== '');
  const known = inRoot === path ? parts.slice(parts.at(-1) === '__init__' ? -3 : -2) : parts;
  const named = known.at(-1) === '__init__' ? known.slice(0, -1) : known;
  return named.length === 0 ? null : named.join('.');
}
