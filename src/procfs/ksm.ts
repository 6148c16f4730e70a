/**
 * KSM: the kernel looks for pages of equal contents in processes that allow it, and lets them share one again.
 *
 * Sources: Documentation/admin-guide/mm/ksm.rst (/sys/kernel/mm/ksm), Documentation/filesystems/proc.rst
 * (/proc/PID/ksm_stat), mm/ksm.c. A process allows it for all of its memory by prctl(PR_SET_MEMORY_MERGE), since Linux
 * 6.4, and for parts of it by madvise(MADV_MERGEABLE). Another process can't do that for it: process_madvise(2) takes
 * MADV_MERGEABLE for the caller's own memory only (mm/madvise.c, process_madvise_remote_valid; EINVAL in 6.18).
 */
import { accessSync, constants, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from '../base/errors.ts';
import { type Bytes, bytes, type Milliseconds, milliseconds, type Pages, pages } from '../base/units.ts';
import { kernelUnits } from './auxv.ts';
import { readKernelFile } from './read.ts';
import { readStat } from './stat.ts';

export const KSM_FOLDER = '/sys/kernel/mm/ksm';

/** What decides whether and how fast ksmd works, of the whole host. */
export interface KsmSettings {
  /** 0: stopped, and what is merged stays so; 1: merging; 2: stopped, and nothing is merged any more. */
  readonly run: number;
  /** How many pages ksmd looks at before it sleeps. */
  readonly pagesToScan: number;
  readonly sleepMs: number;
  /** What sets `pagesToScan`: `none` or `scan-time`; null before Linux 6.8, which has none. */
  readonly advisor: string | null;
}

/** Counts of the whole host. */
export interface KsmTotals {
  /** How many times all memory that may be merged has been looked at. */
  readonly fullScans: number;
  /** Pages that stand for several, and how many they stand in for beyond themselves. */
  readonly pagesShared: Pages;
  readonly pagesSharing: Pages;
  /** What is saved less what KSM's own books take; may be negative. Null before Linux 6.4. */
  readonly generalProfit: Bytes | null;
}

/** Of one process. */
export interface KsmOfProcess {
  /** Pages of it that are merged ones. */
  readonly mergingPages: Pages;
  /** What merging saves in this process less what its books take; may be negative. */
  readonly profit: Bytes;
  /** Whether it allows merging in all of its memory, or in parts; null where this kernel does not tell. */
  readonly mergeable: boolean | null;
}

/** Why nothing can be merged here. */
export type KsmProblem =
  | { readonly kind: 'not built in' }
  /** No way to allow it for a whole process. */
  | { readonly kind: 'too old' }
  /** `reason`: the code of the system's error. */
  | { readonly kind: 'not allowed'; readonly reason: string };

/** Lines of a name and a number, and in newer kernels a name, a colon and `yes` or `no`. */
export function parseKsmStat(text: string): KsmOfProcess | null {
  const number = (name: string): number | null => {
    const found = new RegExp(`^${name} (-?\\d+)$`, 'm').exec(text)?.[1];
    return found === undefined ? null : Number(found);
  };
  const mergingPages = number('ksm_merging_pages');
  if (mergingPages === null) return null;
  const answers = [...text.matchAll(/^ksm_merg(?:e_any|eable): (yes|no)$/gm)].map(([, answer]) => answer);
  return {
    mergingPages: pages(mergingPages),
    profit: bytes(number('ksm_process_profit') ?? 0),
    mergeable: answers.length === 0 ? null : answers.includes('yes'),
  };
}

/** Null if there is no such process any more, no KSM, or the process may not be looked into. */
export function readKsmStat(pid: number): KsmOfProcess | null {
  const text = readIfAllowed(`/proc/${pid}/ksm_stat`);
  return text === null ? null : parseKsmStat(text);
}

/** Whether an area of a process has the flag `mg`, in /proc/PID/smaps: what older kernels tell. */
export function hasMergeableArea(smaps: string): boolean {
  return /^VmFlags:(?: \w\w)* mg\b/m.test(smaps);
}

/** Whether the kernel may merge memory of this process. One that is gone, or may not be looked into, allows nothing. */
export function isMergeable(pid: number): boolean {
  const stat = readKsmStat(pid);
  return stat?.mergeable ?? hasMergeableArea(readIfAllowed(`/proc/${pid}/smaps`) ?? '');
}

/** Null where KSM is not built in. */
export function readKsmSettings(folder = KSM_FOLDER): KsmSettings | null {
  const run = readNumber(folder, 'run');
  const pagesToScan = readNumber(folder, 'pages_to_scan');
  const sleepMs = readNumber(folder, 'sleep_millisecs');
  if (run === null || pagesToScan === null || sleepMs === null) return null;
  const advisor = readKernelFile(join(folder, 'advisor_mode'));
  return { run, pagesToScan, sleepMs, advisor: advisor === null ? null : parseAdvisor(advisor) };
}

/** The word in brackets of `[none] scan-time`. */
export function parseAdvisor(text: string): string | null {
  return /\[([\w-]+)\]/.exec(text)?.[1] ?? null;
}

/** Null where KSM is not built in. */
export function readKsmTotals(folder = KSM_FOLDER): KsmTotals | null {
  const fullScans = readNumber(folder, 'full_scans');
  if (fullScans === null) return null;
  const profit = readNumber(folder, 'general_profit');
  return {
    fullScans,
    pagesShared: pages(readNumber(folder, 'pages_shared') ?? 0),
    pagesSharing: pages(readNumber(folder, 'pages_sharing') ?? 0),
    generalProfit: profit === null ? null : bytes(profit),
  };
}

/** Why memory can't be merged by this process here; null when it can. */
export function whyNoMerging(folder = KSM_FOLDER): KsmProblem | null {
  if (readKernelFile(join(folder, 'run')) === null) return { kind: 'not built in' };
  // It came with the flag of whole processes (Linux 6.4), and tells more than a version's number: distributions add
  // features to older kernels.
  if (readKernelFile(join(folder, 'general_profit')) === null) return { kind: 'too old' };
  try {
    accessSync(join(folder, 'run'), constants.W_OK);
    return null;
  } catch (error) {
    if (isSystemError(error)) return { kind: 'not allowed', reason: error.code ?? 'EACCES' };
    throw error;
  }
}

/** The kernel's thread that looks and merges; null where it can't be seen, as in a container. */
export function findKsmd(): number | null {
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const stat = readStat(pid);
    // Kernel threads are children of kthreadd (2); any process may have given itself the name.
    if (stat?.name === 'ksmd' && stat.parentPid === 2) return pid;
  }
  return null;
}

/** CPU time that a process has used; null if it is gone, or `pid` is null. */
export function cpuTimeOf(pid: number | null): Milliseconds | null {
  const stat = pid === null ? null : readStat(pid);
  if (stat === null) return null;
  return milliseconds(((stat.userTime + stat.systemTime) * 1000) / kernelUnits().ticksPerSecond);
}

function readIfAllowed(path: string): string | null {
  try {
    return readKernelFile(path);
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM')) return null;
    throw error;
  }
}

function readNumber(folder: string, name: string): number | null {
  const text = readKernelFile(join(folder, name))?.trim() ?? '';
  return /^-?\d+$/.test(text) ? Number(text) : null;
}
