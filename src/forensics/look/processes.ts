/** Finds out which processes were forked from one another. Pure except for the functions that read /proc. */
import { readdirSync, readlinkSync } from 'node:fs';
import { isSystemError } from '../../base/errors.ts';
import { type Mapping, readMaps } from '../../procfs/maps.ts';
import { readStat } from '../../procfs/stat.ts';

export interface ProcessEntry {
  readonly pid: number;
  readonly parentPid: number;
  /** In ticks since the machine booted; tells which process is older. */
  readonly startedAt: number;
  readonly name: string;
}

/**
 * Addresses that the kernel chooses at random at each exec (randomize_va_space). Two processes have the same ones only
 * if one was forked from the other, or both from a third, without an exec. Null if they can't be read.
 */
export function layoutOf(mappings: readonly Mapping[]): string | null {
  const vdso = mappings.find(({ path }) => path === '[vdso]');
  const program = mappings.find(({ path, inode }) => inode !== 0 && path.startsWith('/'));
  return vdso === undefined || program === undefined ? null : `${vdso.start} ${program.start} ${program.inode}`;
}

export interface Family {
  /** The process whose memory the workers had at their fork. */
  readonly reference: number;
  readonly workers: number[];
}

export type FamilyProblem =
  /** The process was not forked and has not forked. */
  | { readonly kind: 'alone' }
  /** The process's parent is gone; `siblings` were forked from the same one. */
  | { readonly kind: 'lost'; readonly siblings: number[] };

/** Names of processes whose workers have been adopted by another process, so that parent pids don't show the fork. */
const MOLD_NAMES = new Set(['cowherd-mold']);

/**
 * The family of a process: the process and the children that it forked, or its parent and the process; otherwise found
 * among the processes with the same layout.
 *
 * @param relatives all processes with the layout of `pid`, itself included
 * @param molds pids that are known to be molds, whatever their names
 */
export function familyOf(
  pid: number,
  relatives: readonly ProcessEntry[],
  molds: ReadonlySet<number> = new Set(),
): Family | FamilyProblem {
  const isMold = (entry: ProcessEntry): boolean => molds.has(entry.pid) || MOLD_NAMES.has(entry.name);
  const own = relatives.find((each) => each.pid === pid);
  const others = relatives.filter((each) => each.pid !== pid);
  if (own === undefined || others.length === 0) return { kind: 'alone' };
  const children = others.filter((each) => each.parentPid === pid);
  if (children.length > 0) return { reference: pid, workers: children.map((each) => each.pid) };
  if (isMold(own)) {
    const workers = others.filter((each) => each.startedAt >= own.startedAt && !isMold(each));
    return workers.length === 0 ? { kind: 'alone' } : { reference: pid, workers: workers.map((each) => each.pid) };
  }
  const parent = others.find((each) => each.pid === own.parentPid && !isKeeper(each));
  if (parent !== undefined) return { reference: parent.pid, workers: [pid] };
  const mold = others
    .filter((each) => isMold(each) && each.startedAt <= own.startedAt)
    .toSorted((a, b) => b.startedAt - a.startedAt)[0];
  if (mold !== undefined) return { reference: mold.pid, workers: [pid] };
  return { kind: 'lost', siblings: others.filter((each) => !isKeeper(each)).map((each) => each.pid) };
}

/** Cowherd's keeper adopts workers and was forked together with the first mold, but has nothing of the application. */
function isKeeper(entry: ProcessEntry): boolean {
  return entry.name === 'cowherd-keeper';
}

/** All processes with a given layout, except those that this user may not inspect. */
export function relativesOf(pid: number, layout: string): ProcessEntry[] {
  const program = programOf(pid);
  const found: ProcessEntry[] = [];
  for (const name of readdirSync('/proc')) {
    const other = Number(name);
    if (!Number.isInteger(other) || (other !== pid && programOf(other) !== program)) continue;
    const stat = readStat(other);
    if (stat === null || stat.state === 'Z' || stat.state === 'X') continue;
    if (other !== pid && layoutOf(mapsOrNothing(other)) !== layout) continue;
    found.push({ pid: other, parentPid: stat.parentPid, startedAt: stat.startTime, name: stat.name });
  }
  return found;
}

function mapsOrNothing(pid: number): Mapping[] {
  try {
    return readMaps(pid) ?? [];
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM')) return [];
    throw error;
  }
}

/** The path of a process's program; null for a kernel thread, an ended process, or one that may not be inspected. */
export function programOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return null;
    throw error;
  }
}
