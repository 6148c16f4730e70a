/** A machine without the checkout, npm and Node: this one, in a mount namespace in which they are covered. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../support/cowherd.ts';

/** Words to put in front of a command. The command may use every file but those that are covered. */
export const ON_BARE_MACHINE = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script(), 'sh'];

/**
 * The same, for `prefix` of a run: drops Node from the command line, since an installed command finds a Node by itself.
 */
export const COMMAND_ON_BARE_MACHINE = ON_BARE_MACHINE.with(-2, script('shift; '));

function script(first = ''): string {
  const covered = [`mount -t tmpfs covered '${ROOT}'`];
  for (const file of nodes()) covered.push(`mount --bind /dev/null '${file}'`);
  return ['set -e', ...covered, 'cd "${COWHERD_TEST_FOLDER:-/}"', `${first}exec "$@"`].join('\n');
}

function nodes(): string[] {
  const folders = (process.env['PATH'] ?? '').split(':').filter((folder) => path.isAbsolute(folder));
  const files = folders.flatMap((folder) => ['node', 'npm', 'npx'].map((name) => path.join(folder, name)));
  return [
    ...new Set(
      files.filter(existsSync).map((file) => execFileSync('readlink', ['-f', file], { encoding: 'utf8' }).trim()),
    ),
  ];
}
