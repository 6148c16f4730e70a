/** The command that runs the attacks. */
import { realpathSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..', '..');

/** Where users may write or are given a folder, and where root's herds keep their history: the attacks have their own. */
const OWN_FOLDERS = [
  ['/tmp', 'mode=1777'],
  ['/run', 'mode=755'],
  ['/var/lib', 'mode=755'],
] as const;

/**
 * In a process, a mount and a network namespace of their own, where the worst costs nothing but decoys. All of it ends
 * with who has called.
 */
export function attackCommand(python: string, names: readonly string[]): string[] {
  const inside = [process.execPath, '--import', 'tsx', path.join(import.meta.dirname, 'inside.ts'), python, ...names];
  const namespaces = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', '--net'];
  const kept = [ROOT, path.dirname(path.dirname(realpathSync(python))), process.execPath].filter(isInOwnFolder);
  return ['setpriv', '--pdeathsig', 'KILL', ...namespaces, 'sh', '-c', stageScript(kept), 'sh', ...inside];
}

function isInOwnFolder(file: string): boolean {
  return OWN_FOLDERS.some(([folder]) => file.startsWith(`${folder}/`));
}

/** What a shell does before the command that is its arguments. `kept`: what is to be seen though its folder is covered. */
function stageScript(kept: readonly string[]): string {
  const descriptor = (index: number): number => index + 3;
  return [
    'set -e',
    'ip link set lo up',
    ...kept.map((file, index) => `exec ${descriptor(index)}<${quoted(file)}`),
    ...OWN_FOLDERS.map(([folder, mode]) => `mount -t tmpfs -o ${mode} attacked ${folder}`),
    ...kept.flatMap((file, index) => [
      `mkdir -p ${quoted(path.dirname(file))}`,
      `[ -d /proc/self/fd/${descriptor(index)} ] && mkdir -p ${quoted(file)} || touch ${quoted(file)}`,
      `mount --no-canonicalize --bind /proc/self/fd/${descriptor(index)} ${quoted(file)}`,
      `exec ${descriptor(index)}<&-`,
    ]),
    `cd ${quoted(ROOT)}`,
    'exec "$@"',
  ].join('\n');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
