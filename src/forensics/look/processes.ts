/** Which processes were forked from one another; pure but for the reading. */
import { readdirSync, readlinkSync } from 'node:fs';
import { isSystemError } from '../../base/errors.ts';
import { type Mapping, readMaps } from '../../procfs/maps.ts';
import { readStat } from '../../procfs/stat.ts';

export interface ProcessEntry {
  readonly pid: number;
  readonly parentPid: number;
  /** Since the start of the machine, in ticks: who was there first. */
  readonly startedAt: number;
  readonly name: string;
}

/**
 * What two processes have in common only if one was forked from the other, or both from a third, without an exec:
 * addresses that the kernel chooses at random at each exec (randomize_va_space). Null where they can't be read.
 */
export function layoutOf(mappings: readonly Mapping[]): string | null {
  const vdso = mappings.find(({ path }) => path === '[vdso]');
  const program = mappings.find(({ path, inode }) => inode !== 0 && path.startsWith('/'));
  return vdso === undefined || program === undefined ? null : `${vdso.start} ${program.start} ${program.inode}`;
}

/** A child of a mold that takes its census, and serves nothing (agent/cowherd_agent/mold/census_scout.py). */
const SCOUT_NAME = 'cowherd-scout';

export interface Family {
  /** Whose memory the workers had at their fork. */
  readonly reference: number;
  readonly workers: number[];
}

export type FamilyProblem =
  /** Nothing was ever forked here. */
  | { readonly kind: 'alone' }
  /** The process that it was forked from is gone; these were forked from the same one. */
  | { readonly kind: 'lost'; readonly siblings: number[] };

/** The names of processes that are known to be parents of workers which they are not the parent of any more. */
const MOLD_NAMES = new Set(['cowherd-mold']);

/**
 * The family of a process: it and the children that it forked, or it and its parent; else those of the same layout.
 *
 * @param relatives all processes with the layout of `pid`, itself included
 * @param molds those that are known to be molds, whatever their names are
 */
export function familyOf(
  pid: number,
  relatives: readonly ProcessEntry[],
  molds: ReadonlySet<number> = new Set(),
): Family | FamilyProblem {
  const isMold = (entry: ProcessEntry): boolean => molds.has(entry.pid) || MOLD_NAMES.has(entry.name);
  const own = relatives.find((each) => each.pid === pid);
  const others = relatives.filter((each) => each.pid !== pid && each.name !== SCOUT_NAME);
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

/** Cowherd's keeper adopts workers, and was forked together with the first mold; it has nothing of the application. */
function isKeeper(entry: ProcessEntry): boolean {
  return entry.name === 'cowherd-keeper';
}

/** All processes that have the layout of one; those that may not be looked at are left out. */
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

/** The path of a process's program; null for a kernel thread, one that is gone, or one that may not be looked at. */
export function programOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return null;
    throw error;
  }
}
