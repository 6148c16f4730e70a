/**
 * A throw-away machine: this one, with its own processes, loopback network and `/run`, and with a file system that
 * forgets every change (overlayfs). Nothing that runs there is left when it ends.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { PYTHON } from '../support/cowherd.ts';
import { where } from '../support/needs.ts';

/** Layers that are kept until this file's tests are done. */
const folders: string[] = [];

afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const ENTER = `
set -e
folder=$1 layer=$2 script=$3
mkdir -p "$folder/upper" "$folder/work" "$folder/root"
mount -t overlay overlay -o "lowerdir=$layer/,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
cd "$folder/root"
mount -t proc proc proc
mount --rbind /dev dev
mount --rbind /sys sys
mount -t tmpfs run run
ip link set lo up
exec chroot . /bin/bash "$script"
`;

/** In memory: the kernel takes no layer that lies inside of another one, so they can't be on the disk. */
const MEMORY = '/dev/shm';

const SPACE = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--propagation', 'private'];

/** Needs overlayfs, namespaces and iproute2, and files that are all on the file system of the root. */
export const MACHINE_NEEDED = where(
  process.getuid?.() === 0 && isPossible(),
  'needs root, overlayfs, namespaces, ip of iproute2, and no mounts of its own for the checkout and /tmp',
);

function isPossible(): boolean {
  const folder = mkdtempSync(path.join(tmpdir(), 'cowherd-machine-'));
  try {
    return run(`test -x '${PYTHON}' && test -d '${folder}'`).status === 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export interface Layer {
  /** The changes of another machine, to start with. */
  readonly on?: string;
  /** Keep its changes, as a layer for others. */
  readonly keep?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a script of bash there. With `keep`, `changes` is the layer. */
export function run(script: string, { on = '', keep = false, env = {} }: Layer = {}): Ran & { changes: string } {
  const folder = mkdtempSync(path.join(MEMORY, 'cowherd-machine-'));
  if (keep) folders.push(folder);
  // Outside of the overlay, but visible in it.
  const file = path.join(folder, 'script');
  writeFileSync(file, script);
  const words = [...SPACE, 'bash', '--norc', '-c', ENTER, 'bash', folder, on === '' ? '' : `${on}:`, file];
  const { status, stdout, stderr, error } = spawnSync('nice', ['-n', '10', 'unshare', ...words], {
    // A bash whose input is a socket would read ~/.bashrc.
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    timeout: 300_000,
    killSignal: 'SIGKILL',
    maxBuffer: 64 * 1024 * 1024,
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: '/root',
      LANG: 'C.UTF-8',
      ...env,
    },
  });
  if (error !== undefined) throw error;
  if (!keep) rmSync(folder, { recursive: true, force: true });
  return { status, stdout, stderr, changes: path.join(folder, 'upper') };
}
