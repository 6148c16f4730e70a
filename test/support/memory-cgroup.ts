/** Memory cgroups for a test, of version 1 or 2. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type MemoryCgroup, ownMemoryCgroup } from '../../src/procfs/cgroup.ts';

export interface LimitedCgroup {
  readonly version: 1 | 2;
  readonly folder: string;
  /** The command prefix that starts another command in the cgroup. */
  readonly prefix: string[];
}

/** Makes a cgroup with a limit of `bytes`. Null if the machine doesn't allow it. */
export function limitedCgroup(bytes: number): LimitedCgroup | null {
  const own = ownMemoryCgroup();
  const parent = own === null ? null : parentOfOthers(own);
  if (own === null || parent === null) return null;
  const folder = path.join(parent, `cowherd-${randomUUID()}`);
  try {
    mkdirSync(folder);
    writeFileSync(path.join(folder, own.version === 1 ? 'memory.limit_in_bytes' : 'memory.max'), String(bytes));
  } catch {
    takeAway(folder);
    return null;
  }
  const prefix = ['sh', '-c', `echo $$ > ${folder}/cgroup.procs && exec "$@"`, 'sh'];
  return { version: own.version, folder, prefix };
}

/** Removes a cgroup. False while there are processes in it. */
export function takeAway(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

/**
 * The folder in which a cgroup with a limit can be made. In version 2 it can't be one with processes (cgroup-v2.rst,
 * "No Internal Process Constraint"). So it is the nearest ancestor that delegates the memory controller, or the root,
 * which may have both.
 */
function parentOfOthers({ version, folder, mountPoint }: MemoryCgroup): string | null {
  if (version === 1) return folder;
  for (let each = folder; ; each = path.dirname(each)) {
    if (handsMemoryOn(each)) return each;
    if (each === mountPoint || each === path.dirname(each)) break;
  }
  try {
    writeFileSync(path.join(mountPoint, 'cgroup.subtree_control'), '+memory');
  } catch {
    return null;
  }
  return handsMemoryOn(mountPoint) ? mountPoint : null;
}

function handsMemoryOn(folder: string): boolean {
  try {
    return readFileSync(path.join(folder, 'cgroup.subtree_control'), 'utf8').split(/\s/).includes('memory');
  } catch {
    return false;
  }
}
