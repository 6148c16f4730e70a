/** A machine without the checkout, npm and Node: this one, in a mount namespace in which they are covered. */
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../support/cowherd.ts';

/** Words to put in front of a command. The command may use every file but those that are covered. */
export const ON_BARE_MACHINE = inNamespace('');

/**
 * The same, for `prefix` of a run: drops Node from the command line, since an installed command finds a Node by itself.
 */
export const COMMAND_ON_BARE_MACHINE = inNamespace('shift; ');

function inNamespace(first: string): string[] {
  const covered = nodes().map((file) => `mount --bind /dev/null '${file}'`);
  const script = ['set -e', `mount -t tmpfs covered '${ROOT}'`, ...covered, `${first}exec "$@"`].join('\n');
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh'];
}

/** The files of Node and npm on PATH; their links lead to these. */
function nodes(): string[] {
  const folders = (process.env['PATH'] ?? '').split(':').filter((folder) => path.isAbsolute(folder));
  const files = folders.flatMap((folder) => ['node', 'npm', 'npx'].map((name) => path.join(folder, name)));
  return [...new Set(files.filter((file) => existsSync(file)).map((file) => realpathSync(file)))];
}
