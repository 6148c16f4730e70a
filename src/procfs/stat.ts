/**
 * /proc/PID/stat: facts about a process, in one line.
 *
 * Source: Documentation/filesystems/proc.rst, table 1-4; proc_pid_stat(5) numbers the fields. The second field, the
 * name in parentheses, may contain spaces and parentheses itself (prctl PR_SET_NAME allows any bytes); the last closing
 * parenthesis ends it.
 */
import { type ClockTicks, clockTicks, type Pages, pages } from '../base/units.ts';
import { readKernelFile } from './read.ts';

export interface ProcessStat {
  readonly pid: number;
  readonly name: string;
  /** One letter: R running, S sleeping, D waiting for a disk, Z zombie, T stopped, X dead, I idle kernel thread. */
  readonly state: string;
  readonly parentPid: number;
  /** The pid of the process that started the session (setsid(2)), which may have ended. */
  readonly session: number;
  /** Page faults served without the disk, including copies on write; `majorFaults` needed the disk. */
  readonly minorFaults: number;
  readonly majorFaults: number;
  readonly userTime: ClockTicks;
  readonly systemTime: ClockTicks;
  readonly threads: number;
  /** Time since boot. Together with the pid it distinguishes a process from a later one with the same pid. */
  readonly startTime: ClockTicks;
  /** The value in statm, equally inexact. */
  readonly resident: Pages;
}

/** The first fields after the name are numbered from 3, as in proc_pid_stat(5). */
const FIRST_AFTER_NAME = 3;

export function parseStat(text: string): ProcessStat | null {
  const head = /^(\d+) \(/.exec(text);
  const end = text.lastIndexOf(') ');
  if (head === null || end < head[0].length) return null;
  const fields = text
    .slice(end + 2)
    .trimEnd()
    .split(' ');
  const state = fields[0] ?? '';
  const field = (number: number): number => Number(fields[number - FIRST_AFTER_NAME]);
  const found: ProcessStat = {
    pid: Number(head[1]),
    name: text.slice(head[0].length, end),
    state,
    parentPid: field(4),
    session: field(6),
    minorFaults: field(10),
    majorFaults: field(12),
    userTime: clockTicks(field(14)),
    systemTime: clockTicks(field(15)),
    threads: field(20),
    startTime: clockTicks(field(22)),
    resident: pages(field(24)),
  };
  const numbers = Object.values(found).filter((value) => typeof value === 'number');
  return /^[A-Za-z]$/.test(state) && numbers.every(Number.isFinite) ? found : null;
}

/** Null if the process has ended and was waited for. A zombie still has its stat. */
export function readStat(pid: number): ProcessStat | null {
  const text = readKernelFile(`/proc/${pid}/stat`);
  return text === null ? null : parseStat(text);
}
