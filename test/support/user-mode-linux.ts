/**
 * Another kernel on the same files: User Mode Linux (Debian's `user-mode-linux`), a Linux kernel that runs as a
 * program. For features that this machine's kernel is not set up for, such as cgroups of version 2.
 */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { temporaryFolder } from './cowherd.ts';
import { where } from './needs.ts';

const LINUX = 'linux.uml';

/** For `needs`. */
export const USER_MODE_LINUX_NEEDED = where(
  spawnSync(LINUX, ['--version']).status === 0,
  'needs User Mode Linux: apt-get install user-mode-linux',
);

const REBOOT_CMD_POWER_OFF = 0x4321_fedc;

/**
 * Runs a shell script in it as root, with the files of this machine, cgroups of version 2 only, and a loopback
 * interface. Files in /tmp are gone afterwards. Returns the exit status, or null if the script did not finish.
 */
export async function runInUserModeLinux(
  script: string,
  options: { python: string; memoryMiB: number },
): Promise<{ status: number | null; output: string }> {
  const init = path.join(temporaryFolder(), 'init');
  writeFileSync(
    init,
    `#!/bin/sh
export PATH='${process.env['PATH'] ?? ''}' HOME='${process.env['HOME'] ?? '/'}' LANG=C.UTF-8
mount -t proc proc /proc && mount -t sysfs sysfs /sys && mount -t cgroup2 cgroup2 /sys/fs/cgroup &&
  mount -t tmpfs tmpfs /tmp && mkdir -p /dev/shm && mount -t tmpfs tmpfs /dev/shm && ip link set lo up
(
${script}
) >/tmp/output 2>&1
status=$?
cat /tmp/output
echo "status: $status"
exec ${options.python} -c 'import ctypes, os; os.sync(); ctypes.CDLL(None).reboot(${REBOOT_CMD_POWER_OFF})'
`,
  );
  chmodSync(init, 0o755);
  const root = ['root=/dev/root', 'rootfstype=hostfs', 'hostfs=/', 'rw'];
  const console = ['con=null', 'con0=null,fd:1', 'quiet'];
  const kernel = spawn(LINUX, [...root, `mem=${options.memoryMiB}M`, `init=${init}`, ...console], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [kernel.stdout, kernel.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  await new Promise((resolve) => kernel.once('close', resolve));
  const status = /^status: (\d+)\r?$/m.exec(output)?.[1];
  return { status: status === undefined ? null : Number(status), output };
}
