/** The module of a file of Python code, by its path; pure. */

/** Names of module directories, in installations and virtual environments. */
const ROOT = /^.*\/(?:(?:site|dist)-packages|python3\.\d+t?|lib-dynload)\//;
/** As in "<frozen importlib._bootstrap>". */
const FROZEN = /^<frozen (.+)>$/;

/**
 * The module of a file. If its module directory is not known, as for the application's own files, the module is made
 * of the last directory and the file: "shop.views" for "/srv/site/shop/views.py". Null for other names, such as
 * "<string>".
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
