/** Memory cgroups of a test's own, of version 1 or 2. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type MemoryCgroup, ownMemoryCgroup } from '../../src/procfs/cgroup.ts';

export interface LimitedCgroup {
  readonly version: 1 | 2;
  readonly folder: string;
  /** The command in front, which starts another one in it. */
  readonly prefix: string[];
}

/** With a limit of so many bytes; null where the machine does not let us. */
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

/** True once no process is left in it. */
export function takeAway(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

/**
 * Where a cgroup with a limit can be made. In version 2 that is not below one with processes (cgroup-v2.rst, "No Internal
 * Process Constraint"): the nearest ancestor that hands its memory on, or the root, which may have both.
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
