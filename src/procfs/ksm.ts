/**
 * KSM: the kernel searches processes that allow it for pages with equal contents, and lets them share one page.
 *
 * Sources: Documentation/admin-guide/mm/ksm.rst (/sys/kernel/mm/ksm), Documentation/filesystems/proc.rst
 * (/proc/PID/ksm_stat), mm/ksm.c. A process allows it for all of its memory by prctl(PR_SET_MEMORY_MERGE), since Linux
 * 6.4, or for parts of it by madvise(MADV_MERGEABLE). Another process can't do that for it: process_madvise(2) accepts
 * MADV_MERGEABLE only for the caller's own memory (mm/madvise.c, process_madvise_remote_valid; EINVAL in 6.18).
 */
import { accessSync, constants, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from '../base/errors.ts';
import { type Bytes, bytes, type Milliseconds, milliseconds, type Pages, pages } from '../base/units.ts';
import { kernelUnits } from './auxv.ts';
import { readKernelFile } from './read.ts';
import { readStat } from './stat.ts';

export const KSM_FOLDER = '/sys/kernel/mm/ksm';

/** The host's settings for whether and how fast ksmd works. */
export interface KsmSettings {
  /** 0: stopped, merged pages stay merged; 1: merging; 2: stopped, and all pages are unmerged. */
  readonly run: number;
  /** How many pages ksmd scans before it sleeps. */
  readonly pagesToScan: number;
  readonly sleepMs: number;
  /** The advisor that sets `pagesToScan`: `none` or `scan-time`; null before Linux 6.8, which introduced it. */
  readonly advisor: string | null;
}

/** Counts for the whole host. */
export interface KsmTotals {
  /** How many times all mergeable memory has been scanned. */
  readonly fullScans: number;
  /** The number of pages that several mappings share, and how many further pages they replace. */
  readonly pagesShared: Pages;
  readonly pagesSharing: Pages;
  /** Memory saved minus KSM's own metadata; may be negative. Null before Linux 6.4. */
  readonly generalProfit: Bytes | null;
}

/** Facts about one process. */
export interface KsmOfProcess {
  /** How many of its pages are merged. */
  readonly mergingPages: Pages;
  /** Memory that merging saves in this process minus KSM's metadata for it; may be negative. */
  readonly profit: Bytes;
  /** Whether it allows merging in all or parts of its memory; null if this kernel does not tell. */
  readonly mergeable: boolean | null;
}

/** Why no memory can be merged here. */
export type KsmProblem =
  | { readonly kind: 'not built in' }
  /** The kernel can't allow it for a whole process. */
  | { readonly kind: 'too old' }
  /** `reason` is the system's error code. */
  | { readonly kind: 'not allowed'; readonly reason: string };

/** Parses lines with a name and a number, and in newer kernels with a name, a colon, and `yes` or `no`. */
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

/** Null if the process has ended or must not be inspected, or if the kernel has no KSM. */
export function readKsmStat(pid: number): KsmOfProcess | null {
  const text = readIfAllowed(`/proc/${pid}/ksm_stat`);
  return text === null ? null : parseKsmStat(text);
}

/** Whether any area in /proc/PID/smaps has the flag `mg`, for kernels whose ksm_stat does not tell. */
export function hasMergeableArea(smaps: string): boolean {
  return /^VmFlags:(?: \w\w)* mg\b/m.test(smaps);
}

/** Whether the kernel may merge memory of a process. False if it has ended or must not be inspected. */
export function isMergeable(pid: number): boolean {
  const stat = readKsmStat(pid);
  return stat?.mergeable ?? hasMergeableArea(readIfAllowed(`/proc/${pid}/smaps`) ?? '');
}

/** Null if KSM is not built in. */
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

/** Null if KSM is not built in. */
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

/** Why this process can't have memory merged; null if it can. */
export function whyNoMerging(folder = KSM_FOLDER): KsmProblem | null {
  if (readKernelFile(join(folder, 'run')) === null) return { kind: 'not built in' };
  // This file came with the flag for whole processes (Linux 6.4). It is more reliable than the version number, since
  // distributions backport features to older kernels.
  if (readKernelFile(join(folder, 'general_profit')) === null) return { kind: 'too old' };
  try {
    accessSync(join(folder, 'run'), constants.W_OK);
    return null;
  } catch (error) {
    if (isSystemError(error)) return { kind: 'not allowed', reason: error.code ?? 'EACCES' };
    throw error;
  }
}

/** The pid of the kernel thread that merges; null if it is not visible, as in a container. */
export function findKsmd(): number | null {
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const stat = readStat(pid);
    // Any process can take this name, but only kernel threads are children of kthreadd (2).
    if (stat?.name === 'ksmd' && stat.parentPid === 2) return pid;
  }
  return null;
}

/** CPU time that a process has used; null if it has ended or `pid` is null. */
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
