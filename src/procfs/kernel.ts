/**
 * Which features the kernel has, and which privileges this process has to use them.
 *
 * Sources: capabilities(7) and include/uapi/linux/capability.h; Documentation/admin-guide/sysctl/kernel.rst
 * (perf_event_paranoid), Documentation/admin-guide/LSM/Yama.rst, Documentation/admin-guide/mm/transhuge.rst and
 * ksm.rst, Documentation/mm/overcommit-accounting.rst.
 */
import { accessSync, constants } from 'node:fs';
import { release } from 'node:os';
import { type KsmProblem, whyNoMerging } from './ksm.ts';
import { readKernelFile } from './read.ts';

export interface KernelFacts {
  /** The output of `uname -r`. */
  readonly release: string;
  readonly version: readonly [major: number, minor: number];
  readonly capabilities: Readonly<Record<Capability, boolean>>;
  readonly smapsRollup: boolean;
  readonly pagemap: boolean;
  /** -1 to 4; null if performance events are not built in. */
  readonly perfEventParanoid: number | null;
  /** Whether the tracepoint for page faults (exceptions:page_fault_user) is readable. */
  readonly faultTracepoint: boolean;
  /** Yama: 0 allows inspecting any process of the same user, 1 only descendants, 2 with CAP_SYS_PTRACE, 3 none. */
  readonly ptraceScope: number;
  /** "always", "madvise" or "never"; null if not built in. */
  readonly transparentHugePages: string | null;
  /** 0 stopped, 1 merging, 2 stopped and unmerged; null if KSM is not built in. */
  readonly ksmRun: number | null;
  /** Why this process can't have memory merged; null if it can. */
  readonly ksmProblem: KsmProblem | null;
  /** 0 heuristic, 1 always, 2 never more than the limit. */
  readonly overcommit: number | null;
}

/** Bit numbers of capabilities. */
const CAPABILITIES = { sysPtrace: 19, sysAdmin: 21, perfmon: 38 } as const;
export type Capability = keyof typeof CAPABILITIES;

/** The effective capabilities in /proc/PID/status: `CapEff:` and 16 hexadecimal digits. */
export function parseCapabilities(status: string): Record<Capability, boolean> {
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const has = (bit: number): boolean => ((mask >> BigInt(bit)) & 1n) === 1n;
  return {
    sysPtrace: has(CAPABILITIES.sysPtrace),
    sysAdmin: has(CAPABILITIES.sysAdmin),
    perfmon: has(CAPABILITIES.perfmon),
  };
}

/** The word in brackets in files such as `always [madvise] never`. */
export function parseSelected(text: string): string | null {
  return /\[(\w+)\]/.exec(text)?.[1] ?? null;
}

/** `6.18.44-custom` is [6, 18]. */
export function parseRelease(text: string): [major: number, minor: number] {
  const match = /^(\d+)\.(\d+)/.exec(text);
  return [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
}

export function readKernelFacts(): KernelFacts {
  return {
    release: release(),
    version: parseRelease(release()),
    capabilities: parseCapabilities(readKernelFile('/proc/self/status') ?? ''),
    smapsRollup: isReadable('/proc/self/smaps_rollup'),
    pagemap: isReadable('/proc/self/pagemap'),
    perfEventParanoid: readNumber('/proc/sys/kernel/perf_event_paranoid'),
    faultTracepoint: ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'].some((tracefs) =>
      isReadable(`${tracefs}/events/exceptions/page_fault_user/id`),
    ),
    ptraceScope: readNumber('/proc/sys/kernel/yama/ptrace_scope') ?? 0,
    transparentHugePages: parseSelected(readOrEmpty('/sys/kernel/mm/transparent_hugepage/enabled')),
    ksmRun: readNumber('/sys/kernel/mm/ksm/run'),
    ksmProblem: whyNoMerging(),
    overcommit: readNumber('/proc/sys/vm/overcommit_memory'),
  };
}

function readNumber(path: string): number | null {
  const text = readOrEmpty(path).trim();
  return /^-?\d+$/.test(text) ? Number(text) : null;
}

/** An unreadable file counts as missing here: either way the feature is not available. */
function readOrEmpty(path: string): string {
  return isReadable(path) ? (readKernelFile(path) ?? '') : '';
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
