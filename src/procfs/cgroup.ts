/**
 * The memory limit of a process's cgroup, of version 1 or 2, with its usage and the number of OOM kills.
 *
 * Sources: cgroups(7), /proc/PID/cgroup; proc_pid_mountinfo(5); Documentation/admin-guide/cgroup-v2.rst (memory.max,
 * memory.high, memory.current, memory.stat, memory.events); Documentation/admin-guide/cgroup-v1/memory.rst
 * (memory.limit_in_bytes, memory.usage_in_bytes, memory.stat, memory.oom_control).
 */
import path from 'node:path';
import { type Bytes, bytes } from '../base/units.ts';
import { readKernelFile } from './read.ts';

export interface CgroupMemory {
  /** The smallest limit on the way up to the root; null if there is none. */
  readonly limit: Bytes | null;
  readonly current: Bytes;
  /** How many processes the kernel has killed for lack of memory in this cgroup (in version 2, and below it). */
  readonly oomKills: number;
}

/** The limit that a herd must stay below, and its usage. */
export interface CgroupUse {
  /** The smallest limit on the way up to the root, where the kernel kills, or only slows down (memory.high). */
  readonly limit: Bytes | null;
  /** Excludes inactive pages of files, which the kernel reclaims before it kills. */
  readonly used: Bytes;
}

export interface MemoryCgroup {
  readonly version: 1 | 2;
  /** The cgroup's own directory. */
  readonly folder: string;
  /** The root of its hierarchy, as far as visible from here. */
  readonly mountPoint: string;
}

/** In version 1 "no limit" is the largest number of whole pages: 2^63 rounded down to pages of up to 64 KiB. */
const NO_LIMIT_FROM = 2 ** 62;

/** A process's cgroup of the memory controller; null if that is not mounted. Version 1 if both are (hybrid systems). */
export function locateMemoryCgroup(procCgroup: string, mountinfo: string): MemoryCgroup | null {
  const groups = procCgroup.split('\n').flatMap((line) => {
    const match = /^(\d+):([^:]*):(\/.*)$/.exec(line);
    return match === null ? [] : [{ controllers: (match[2] ?? '').split(','), path: match[3] ?? '/' }];
  });
  const mounts = parseCgroupMounts(mountinfo);
  const inVersion1 = groups.find((group) => group.controllers.includes('memory'));
  const group = inVersion1 ?? groups.find((candidate) => candidate.controllers[0] === '');
  const mount = mounts.find((candidate) =>
    inVersion1 ? candidate.type === 'cgroup' && candidate.options.includes('memory') : candidate.type === 'cgroup2',
  );
  if (group === undefined || mount === undefined) return null;
  // Inside a container the mount may show only a part of the hierarchy, which begins at `root`.
  const below = path.posix.relative(mount.root, group.path);
  const outside = below === '..' || below.startsWith('../');
  return {
    version: inVersion1 ? 1 : 2,
    folder: outside ? mount.mountPoint : path.posix.join(mount.mountPoint, below),
    mountPoint: mount.mountPoint,
  };
}

interface CgroupMount {
  readonly root: string;
  readonly mountPoint: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** `31 23 0:28 ROOT MOUNTPOINT options [tags...] - TYPE SOURCE SUPEROPTIONS`, with octal escapes for blanks. */
function parseCgroupMounts(mountinfo: string): CgroupMount[] {
  const unescape = (text: string): string =>
    text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)));
  return mountinfo.split('\n').flatMap((line) => {
    const match = /^\d+ \d+ \S+ (\S+) (\S+) .*? - (cgroup2?) \S+ (\S+)$/.exec(line);
    if (match === null) return [];
    const [, root = '/', mountPoint = '', type = '', options = ''] = match;
    return [{ root: unescape(root), mountPoint: unescape(mountPoint), type, options: options.split(',') }];
  });
}

/** A number of bytes, or null for "no limit" in the notation of either version. */
export function parseLimit(text: string): Bytes | null {
  const trimmed = text.trim();
  if (!/^\d+$/.test(trimmed)) return null;
  const value = Number(trimmed);
  return value >= NO_LIMIT_FROM ? null : bytes(value);
}

/** The count after `oom_kill` in memory.events (version 2) or memory.oom_control (version 1, from Linux 4.13). */
export function parseOomKills(text: string): number {
  return countAfter('oom_kill', text) ?? 0;
}

function countAfter(name: string, text: string): number | null {
  const count = new RegExp(String.raw`^${name} (\d+)$`, 'm').exec(text)?.[1];
  return count === undefined ? null : Number(count);
}

/** Null if the folder has no memory controller: the root cgroup of version 2 has no limit and no files for one. */
export function readCgroupMemory(cgroup: MemoryCgroup): CgroupMemory | null {
  const [limitFile, currentFile, killsFile] =
    cgroup.version === 2
      ? ['memory.max', 'memory.current', 'memory.events']
      : ['memory.limit_in_bytes', 'memory.usage_in_bytes', 'memory.oom_control'];
  const current = readKernelFile(path.join(cgroup.folder, currentFile));
  if (current === null) return null;
  return {
    limit: smallestLimit(cgroup, [limitFile]),
    current: bytes(Number(current)),
    oomKills: parseOomKills(readKernelFile(path.join(cgroup.folder, killsFile)) ?? ''),
  };
}

/** Null as for {@link readCgroupMemory}. `used` is what Kubernetes calls the working set. */
export function readCgroupUse(cgroup: MemoryCgroup): CgroupUse | null {
  const [limitFiles, currentFile, inactiveName] =
    cgroup.version === 2
      ? [['memory.max', 'memory.high'], 'memory.current', 'inactive_file']
      : [['memory.limit_in_bytes'], 'memory.usage_in_bytes', 'total_inactive_file'];
  const current = readKernelFile(path.join(cgroup.folder, currentFile));
  if (current === null) return null;
  const inactive = countAfter(inactiveName, readKernelFile(path.join(cgroup.folder, 'memory.stat')) ?? '') ?? 0;
  return { limit: smallestLimit(cgroup, limitFiles), used: bytes(Math.max(0, Number(current) - inactive)) };
}

/** How many processes the kernel has killed for lack of memory in this cgroup, or else on the host (/proc/vmstat). */
export function readOomKills(cgroup: MemoryCgroup | null): number | null {
  const file = cgroup?.version === 1 ? 'memory.oom_control' : 'memory.events';
  const inCgroup = cgroup === null ? null : readKernelFile(path.join(cgroup.folder, file));
  return countAfter('oom_kill', inCgroup ?? readKernelFile('/proc/vmstat') ?? '');
}

function smallestLimit(cgroup: MemoryCgroup, files: readonly string[]): Bytes | null {
  const limits: Bytes[] = [];
  for (let folder = cgroup.folder; ; folder = path.dirname(folder)) {
    for (const file of files) {
      const text = readKernelFile(path.join(folder, file));
      const limit = text === null ? null : parseLimit(text);
      if (limit !== null) limits.push(limit);
    }
    if (folder === cgroup.mountPoint || folder === path.dirname(folder)) break;
  }
  return limits.length === 0 ? null : bytes(Math.min(...limits));
}

/** The memory cgroup of this process itself. */
export function ownMemoryCgroup(): MemoryCgroup | null {
  return locateMemoryCgroup(readKernelFile('/proc/self/cgroup') ?? '', readKernelFile('/proc/self/mountinfo') ?? '');
}
