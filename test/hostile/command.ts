/** The command that runs the attacks. */
import { realpathSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..', '..');

/**
 * Folders where users may write or have a folder, and where root's herds keep their history. The attacks get their own
 * instances of these.
 */
const OWN_FOLDERS = [
  ['/tmp', 'mode=1777'],
  ['/run', 'mode=755'],
  ['/var/lib', 'mode=755'],
] as const;

/**
 * The command that runs the attacks in new process, mount and network namespaces, where the worst damage is to decoys.
 * Everything ends with the caller.
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

/** Shell script that sets up the mounts and runs its arguments. `kept`: paths to keep visible in covered folders. */
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
