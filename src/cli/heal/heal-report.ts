/** What a heal has done, as data: what `cowherd heal --json` prints. Memory is bytes, times are seconds. Pure. */
import type { HealProgress } from '../../supervisor/rules/heal-settled.ts';
import type { SettingChange } from '../../supervisor/ksm/ksm-switch.ts';

export const HEAL_VERSION = 1;

/** One moment of a heal. */
export interface HealSample {
  seconds: number;
  /** Proportional set size of the processes that are there from the beginning until now, and what it was before. */
  pss: number;
  pss_before: number;
  /** Pages of these processes that are merged ones. */
  merged: number;
  /** By the kernel's books: what merging saves in these processes, less what the books take. */
  profit: number;
  /** Of the kernel's merging thread, since the beginning; null where it can't be seen. */
  ksmd_cpu_seconds: number | null;
  /** Of the whole host. */
  host: { full_scans: number; pages_shared: number; pages_sharing: number; general_profit: number | null };
}

export interface HealReport {
  version: typeof HEAL_VERSION;
  target: string;
  policy: string | null;
  processes: number[];
  /** Those that do not let the kernel merge their memory. */
  not_mergeable: number[];
  /** The first is from before. */
  samples: HealSample[];
  /** By how much the proportional set size fell. */
  won: number;
  seconds: number;
  ksmd_cpu_seconds: number | null;
  end: 'settled' | 'time is up' | 'interrupted';
  host: {
    changed: { file: string; before: string; during: string }[];
    /** False after `--keep`: then KSM goes on, at the pace that it had before. */
    put_back: boolean;
  };
}

export interface HealCourse {
  readonly target: string;
  readonly policy: string | null;
  readonly processes: readonly number[];
  readonly notMergeable: readonly number[];
  readonly samples: readonly HealSample[];
  readonly progress: HealProgress;
  readonly interrupted: boolean;
  readonly changes: readonly SettingChange[];
  readonly keeps: boolean;
}

export function healReport(course: HealCourse): HealReport {
  const last = course.samples.at(-1);
  return {
    version: HEAL_VERSION,
    target: course.target,
    policy: course.policy,
    processes: [...course.processes],
    not_mergeable: [...course.notMergeable],
    samples: [...course.samples],
    won: last === undefined ? 0 : last.pss_before - last.pss,
    seconds: last?.seconds ?? 0,
    ksmd_cpu_seconds: last?.ksmd_cpu_seconds ?? null,
    end: course.interrupted ? 'interrupted' : course.progress.settled ? 'settled' : 'time is up',
    host: {
      changed: course.changes.map(({ file, from, to }) => ({ file, before: from, during: to })),
      put_back: !course.keeps,
    },
  };
}
