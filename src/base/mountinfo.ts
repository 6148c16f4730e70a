/** /proc/PID/mountinfo: what is mounted where, as seen by that process (proc_pid_mountinfo(5)). */

export interface Mount {
  readonly point: string;
  /** The type of the file system: `ext4`, `tmpfs`, `fuse.sshfs`. */
  readonly type: string;
}

export function parseMountinfo(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [mount = '', fileSystem = ''] = line.split(' - ');
    const point = mount.split(' ')[4];
    const [type = ''] = fileSystem.split(' ');
    return point === undefined ? [] : [{ point: unescaped(point), type }];
  });
}

/**
 * The mount that a path is on: the lowest one above it, and of several at one place the last, which covers the others.
 */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | null {
  let found: Mount | null = null;
  for (const mount of mounts) {
    const below = mount.point.endsWith('/') ? mount.point : `${mount.point}/`;
    if (path !== mount.point && !path.startsWith(below)) continue;
    if (found === null || mount.point.length >= found.point.length) found = mount;
  }
  return found;
}

/** Blanks, newlines and backslashes are octal. */
function unescaped(point: string): string {
  return point.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
