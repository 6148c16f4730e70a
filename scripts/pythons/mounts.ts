/** The shell script that makes a mount namespace into a machine with one Python. Plain data in, text out. */

export interface Mounts {
  /** Its folder `tmp` becomes /tmp. In `tmp/.kept` is room for what is carried over. */
  readonly scratch: string;
  /** Folders to show empty. */
  readonly covered: readonly string[];
  /** Folders to show at their own place, though they are in a covered one. */
  readonly kept: readonly string[];
  /** Files to make useless. */
  readonly hidden: readonly string[];
  /** Files of /etc to exchange for those of the same name in `tmp/.kept`. */
  readonly accounts: readonly string[];
}

/** Run by `sh` in a new mount namespace with the command as its arguments; the command starts in the clone. */
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
