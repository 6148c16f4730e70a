/** The result of a heal as data, which `cowherd heal --json` prints. Memory is in bytes, times in seconds. Pure. */
import type { HealProgress } from '../../supervisor/rules/heal-settled.ts';
import type { SettingChange } from '../../supervisor/ksm/ksm-switch.ts';

export const HEAL_VERSION = 1;

/** A sample during a heal. */
export interface HealSample {
  seconds: number;
  /** Proportional set size, now and before, of the processes that have existed since the beginning. */
  pss: number;
  pss_before: number;
  /** Bytes of these processes' merged pages. */
  merged: number;
  /** The kernel's figure: memory that merging saves in these processes, minus KSM's metadata. */
  profit: number;
  /** CPU time of the kernel's merging thread since the beginning; null if the thread is not visible. */
  ksmd_cpu_seconds: number | null;
  /** Counts for the whole host. */
  host: { full_scans: number; pages_shared: number; pages_sharing: number; general_profit: number | null };
}

export interface HealReport {
  version: typeof HEAL_VERSION;
  target: string;
  policy: string | null;
  processes: number[];
  /** Processes that do not let the kernel merge their memory. */
  not_mergeable: number[];
  /** The first sample is from before the heal. */
  samples: HealSample[];
  /** The decrease of the proportional set size. */
  won: number;
  seconds: number;
  ksmd_cpu_seconds: number | null;
  end: 'settled' | 'time is up' | 'interrupted';
  host: {
    changed: { file: string; before: string; during: string }[];
    /** False after `--keep`: KSM then stays on, at its former pace. */
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
