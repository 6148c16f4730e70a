/**
 * What the facts about this machine mean for Cowherd: one check for each feature, with one line of advice if something
 * is missing. Pure.
 */
import { type Bytes, formatMiB } from '../../base/units.ts';
import type { CgroupMemory } from '../../procfs/cgroup.ts';
import type { KernelFacts } from '../../procfs/kernel.ts';
import { KSM_LEFT_ADVICE } from '../heal/ksm-left-on.ts';

export interface Facts {
  readonly platform: string;
  readonly kernel: KernelFacts;
  /** Whether the command `perf` is on PATH. */
  readonly perfCommand: boolean;
  readonly cgroup: CgroupMemory | null;
  readonly memoryAvailable: Bytes;
  /** KSM was switched on by a process of Cowherd that was killed before it could restore it. */
  readonly ksmLeftOn: boolean;
  readonly runtimeDirectory: { readonly path: string; readonly problem: string | null };
}

export interface Check {
  /** A stable name, for scripts. */
  readonly name: string;
  /** If `missing` and `required`, `cowherd serve` cannot work here. */
  readonly state: 'ok' | 'limited' | 'missing';
  readonly required: boolean;
  /** The use of the feature. */
  readonly purpose: string;
  /** What was found. */
  readonly found: string;
  /** How to get it; null if nothing has to be done. */
  readonly advice: string | null;
}

export function checks(facts: Facts): Check[] {
  return [
    subreaper(facts),
    smapsRollup(facts),
    runtimeDirectory(facts),
    memoryLimit(facts),
    overcommit(facts),
    transparentHugePages(facts),
    ksm(facts),
    pagemap(facts),
    perf(facts),
  ];
}

function isAtLeast(kernel: KernelFacts, major: number, minor: number): boolean {
  return kernel.version[0] > major || (kernel.version[0] === major && kernel.version[1] >= minor);
}

/** prctl(2): PR_SET_CHILD_SUBREAPER came with Linux 3.4. */
function subreaper({ platform, kernel }: Facts): Check {
  const ok = platform === 'linux' && isAtLeast(kernel, 3, 4);
  return {
    name: 'child_subreaper',
    state: ok ? 'ok' : 'missing',
    required: true,
    purpose: 'the keeper adopts the workers',
    found: `${platform === 'linux' ? 'Linux' : platform} ${kernel.release}`,
    advice: ok ? null : 'Run Cowherd on Linux 3.4 or newer.',
  };
}

/** Documentation/ABI/testing/procfs-smaps_rollup: Linux 4.14. */
function smapsRollup({ kernel }: Facts): Check {
  return {
    name: 'smaps_rollup',
    state: kernel.smapsRollup ? 'ok' : 'missing',
    required: false,
    purpose: 'shared and private memory of each worker',
    found: kernel.smapsRollup ? '/proc/PID/smaps_rollup' : 'no /proc/PID/smaps_rollup',
    advice: kernel.smapsRollup ? null : 'Use Linux 4.14 or newer, with /proc mounted; otherwise no memory is shown.',
  };
}

function runtimeDirectory({ runtimeDirectory: { path, problem } }: Facts): Check {
  return {
    name: 'runtime_directory',
    state: problem === null ? 'ok' : 'missing',
    required: true,
    purpose: 'the control socket and herd.json',
    found: problem ?? path,
    advice: problem === null ? null : 'Choose a writable directory with --runtime-dir.',
  };
}

function memoryLimit({ cgroup, memoryAvailable }: Facts): Check {
  const base = { name: 'memory_limit', required: false, purpose: 'memory for the herd' };
  if (cgroup === null || cgroup.limit === null) {
    return { ...base, state: 'ok', found: `no cgroup limit; ${formatMiB(memoryAvailable)} available`, advice: null };
  }
  const found = `cgroup limit ${formatMiB(cgroup.limit)}, ${formatMiB(cgroup.current)} used`;
  if (cgroup.oomKills === 0) return { ...base, state: 'ok', found, advice: null };
  return {
    ...base,
    state: 'limited',
    found: `${found}, ${cgroup.oomKills} processes killed by it`,
    advice: 'The kernel has killed processes here for lack of memory: raise the limit, or run fewer workers.',
  };
}

function overcommit({ kernel }: Facts): Check {
  const strict = kernel.overcommit === 2;
  return {
    name: 'overcommit',
    state: strict ? 'limited' : 'ok',
    required: false,
    purpose: 'forking a large mold',
    found: `vm.overcommit_memory = ${kernel.overcommit ?? 'unknown'}`,
    advice: strict
      ? "Every fork reserves the mold's memory again and fails at the limit: set vm.overcommit_memory to 0 or 1."
      : null,
  };
}

/**
 * With "always", a worker's heap grows in steps of 2 MiB, and a shared huge page is split at the first write. Both turn
 * shared or unused memory into private memory.
 */
function transparentHugePages({ kernel: { transparentHugePages: mode } }: Facts): Check {
  return {
    name: 'transparent_huge_pages',
    state: mode === 'always' ? 'limited' : 'ok',
    required: false,
    purpose: 'growing private memory in small pages',
    found: mode ?? 'not built in',
    advice:
      mode === 'always'
        ? 'Workers allocate memory in steps of 2 MiB: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled (as root).'
        : null,
  };
}

/**
 * PR_SET_MEMORY_MERGE: Linux 6.4 (kernel/sys.c). Any process may ask for it, but only root can start the merging. KSM
 * should be stopped: `cowherd heal` switches it on only while it heals.
 */
function ksm({ kernel, ksmLeftOn }: Facts): Check {
  const base = { name: 'ksm', required: false, purpose: 'merging identical pages again (heal)' };
  if (kernel.ksmRun === null) {
    return {
      ...base,
      state: 'missing',
      found: 'not built in',
      advice: 'Needs a kernel with CONFIG_KSM. Serving does not need it.',
    };
  }
  const { ksmProblem: problem } = kernel;
  const isTooOld = problem?.kind === 'too old';
  const found = `${kernel.ksmRun === 1 ? 'running' : 'stopped'}, ${isTooOld ? 'for madvise only' : 'for whole processes'}`;
  if (isTooOld) {
    return {
      ...base,
      state: 'missing',
      found,
      advice: 'Merging the memory of a whole process needs Linux 6.4 or newer.',
    };
  }
  if (ksmLeftOn) {
    return {
      ...base,
      state: 'limited',
      found: `${found}, left on by a heal that was killed`,
      advice: `${KSM_LEFT_ADVICE}.`,
    };
  }
  return problem === null || kernel.ksmRun === 1
    ? { ...base, state: 'ok', found, advice: null }
    : {
        ...base,
        state: 'limited',
        found: `${found}, ${problem.kind === 'not allowed' && problem.reason === 'EROFS' ? 'read-only here' : 'needs root to start'}`,
        advice: 'Run `cowherd heal` as root on the host: it switches KSM on while it heals.',
      };
}

/** Reading another process of the same user: ptrace(2), "Ptrace access mode checking", and Yama. */
function pagemap({ kernel }: Facts): Check {
  const base = { name: 'pagemap', required: false, purpose: "comparing a worker's pages with its mold's" };
  if (!kernel.pagemap) {
    return {
      ...base,
      state: 'missing',
      found: 'no /proc/PID/pagemap',
      advice: 'Needs a kernel with CONFIG_PROC_PAGE_MONITOR.',
    };
  }
  const found = `readable, Yama ptrace_scope ${kernel.ptraceScope}`;
  if (kernel.ptraceScope === 0 || (kernel.capabilities.sysPtrace && kernel.ptraceScope < 3)) {
    return { ...base, state: 'ok', found, advice: null };
  }
  return {
    ...base,
    state: 'limited',
    found,
    advice: 'To inspect workers, run as root, grant CAP_SYS_PTRACE, or set kernel.yama.ptrace_scope to 0.',
  };
}

function perf({ kernel, perfCommand }: Facts): Check {
  const base = { name: 'perf', required: false, purpose: 'recording page faults with stacks' };
  if (kernel.perfEventParanoid === null) {
    return {
      ...base,
      state: 'missing',
      found: 'no performance events',
      advice: 'Needs a kernel with CONFIG_PERF_EVENTS.',
    };
  }
  const found = `perf ${perfCommand ? 'found' : 'not found'}, perf_event_paranoid ${kernel.perfEventParanoid}, tracepoint ${
    kernel.faultTracepoint ? 'readable' : 'not readable'
  }`;
  if (!perfCommand) {
    return {
      ...base,
      state: 'missing',
      found,
      advice: 'Install perf (Debian: linux-perf, Ubuntu: linux-tools-generic).',
    };
  }
  const privileged = kernel.capabilities.perfmon || kernel.capabilities.sysAdmin;
  // Above 2 (a patch of Debian and Ubuntu), recording even one's own processes needs a privilege.
  if (kernel.perfEventParanoid > 2 && !privileged) {
    return {
      ...base,
      state: 'missing',
      found,
      advice: 'Run as root, grant CAP_PERFMON, or set kernel.perf_event_paranoid to 2 or less.',
    };
  }
  if (!kernel.faultTracepoint) {
    return {
      ...base,
      state: 'limited',
      found,
      advice:
        'Only the software event page-faults:u can be recorded; for exact write faults, mount tracefs and run as root.',
    };
  }
  return kernel.perfEventParanoid > -1 && !privileged
    ? {
        ...base,
        state: 'limited',
        found,
        advice:
          'The tracepoint needs root, CAP_PERFMON, or kernel.perf_event_paranoid = -1; page-faults:u works without.',
      }
    : { ...base, state: 'ok', found, advice: null };
}
