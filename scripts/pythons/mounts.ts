/** The shell script that makes a mount namespace look like a machine with one Python. Plain data in, text out. */

export interface Mounts {
  /** Its folder `tmp` becomes /tmp. `tmp/.kept` holds the files and folders that are carried over. */
  readonly scratch: string;
  /** Folders to show empty. */
  readonly covered: readonly string[];
  /** Folders to keep visible at their own path inside covered ones. */
  readonly kept: readonly string[];
  /** Files to hide (they show /dev/null). */
  readonly hidden: readonly string[];
  /** Files of /etc to replace by those of the same name in `tmp/.kept`. */
  readonly accounts: readonly string[];
}

/** The script for `sh` in a new mount namespace, with the command as its arguments. The command starts in the clone. */
export function mountScript({ scratch, covered, kept, hidden, accounts }: Mounts): string {
  const places = kept.map((folder, index) => ({ folder, name: `.kept/${index}` }));
  return [
    'set -e',
    `readlink /proc/self/ns/mnt >${quote(`${scratch}/namespace`)}`,
    ...places.flatMap(({ folder, name }) => [
      `mkdir -p ${quote(`${scratch}/tmp/${name}`)}`,
      `mount --bind ${quote(folder)} ${quote(`${scratch}/tmp/${name}`)}`,
    ]),
    `mount --rbind ${quote(`${scratch}/tmp`)} /tmp`,
    ...covered.map((folder) => `[ ! -d ${quote(folder)} ] || mount -t tmpfs -o mode=755 covered ${quote(folder)}`),
    ...places.flatMap(({ folder, name }) => [
      `mkdir -p ${quote(folder)}`,
      `mount --bind ${quote(`/tmp/${name}`)} ${quote(folder)}`,
    ]),
    ...hidden.map((file) => `mount --bind /dev/null ${quote(file)}`),
    ...accounts.map((file) => `mount --bind ${quote(`/tmp/.kept/${file.replace(/.*\//, '')}`)} ${quote(file)}`),
    'cd /tmp/cowherd',
    'exec "$@"',
    '',
  ].join('\n');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
