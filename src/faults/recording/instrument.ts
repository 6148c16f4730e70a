/**
 * Chooses the event that records copy-on-write faults on this machine. Pure.
 *
 * - The tracepoint exceptions:page_fault_user with `error_code==7`: a write (2) from user mode (4) to a page that is
 *   present (1). Such a fault copies the page, or finds that a copy is no longer needed. Source:
 *   arch/x86/include/asm/trap_pf.h (enum x86_pf_error_code), arch/x86/include/asm/trace/exceptions.h. x86 only: other
 *   architectures have no such tracepoint, or other numbers.
 * - The software event page-faults:u reports all faults, including those for fresh memory. The pages present at the
 *   start tell which of them were copies (`shared-pages.ts`).
 *
 * For their requirements see Documentation/admin-guide/sysctl/kernel.rst (perf_event_paranoid) and
 * Documentation/admin-guide/perf-security.rst. Neither event sees copies that the kernel makes when it writes to user
 * memory, as in a read(2) into a buffer.
 */
import { CowherdError } from '../../base/errors.ts';
import type { KernelFacts } from '../../procfs/kernel.ts';

export type InstrumentName = 'tracepoint' | 'software';

export interface Instrument {
  readonly name: InstrumentName;
  /** Its name for perf. */
  readonly event: string;
  readonly filter: string | null;
  /** What it counts, for people. */
  readonly meaning: string;
  /** Why the tracepoint is not available, or how to get it; null if it is available. */
  readonly missing: string | null;
}

export interface RecordingFacts {
  readonly kernel: Pick<KernelFacts, 'capabilities' | 'perfEventParanoid' | 'faultTracepoint'>;
  /** Node's name: "x64". */
  readonly architecture: string;
  /** Whether tracefs is mounted anywhere, readable or not. */
  readonly tracefsMounted: boolean;
}

const TRACEPOINT = {
  name: 'tracepoint',
  event: 'exceptions:page_fault_user',
  filter: 'error_code==7',
  meaning: 'writes to pages that were present',
  missing: null,
} as const;

const SOFTWARE = {
  name: 'software',
  event: 'page-faults:u',
  filter: null,
  meaning: 'faults on pages that were present and shared at the start',
} as const;

/**
 * Chooses the tracepoint if it is available, unless `wanted` says otherwise.
 *
 * @throws CowherdError PERF_NOT_ALLOWED
 */
export function chooseInstrument(facts: RecordingFacts, wanted?: InstrumentName): Instrument {
  const { perfEventParanoid: paranoid } = facts.kernel;
  if (paranoid === null) {
    throw new CowherdError('PERF_NOT_ALLOWED', {
      detail: 'it is built without performance events',
      advice:
        'Use a kernel with CONFIG_PERF_EVENTS; in a container, one that shows /proc/sys/kernel/perf_event_paranoid.',
    });
  }
  // Above 2 (a patch of Debian and Ubuntu), recording even one's own processes needs a privilege.
  if (paranoid > 2 && !isPrivileged(facts)) {
    throw new CowherdError('PERF_NOT_ALLOWED', { detail: `kernel.perf_event_paranoid is ${paranoid}` });
  }
  const missing = missingForTracepoint(facts);
  if (wanted === 'tracepoint' && missing !== null) {
    throw new CowherdError('PERF_NOT_ALLOWED', { detail: TRACEPOINT.event, advice: missing });
  }
  return missing === null && wanted !== 'software' ? TRACEPOINT : { ...SOFTWARE, missing };
}

function isPrivileged({ kernel: { capabilities } }: RecordingFacts): boolean {
  return capabilities.perfmon || capabilities.sysAdmin;
}

/** How to make the tracepoint available; null if it is. */
function missingForTracepoint(facts: RecordingFacts): string | null {
  const { kernel, architecture, tracefsMounted } = facts;
  if (architecture !== 'x64') return `The tracepoint ${TRACEPOINT.event} is of x86; this is ${architecture}.`;
  if (!tracefsMounted) {
    return 'For the tracepoint mount tracefs: sudo mount -t tracefs tracefs /sys/kernel/tracing';
  }
  const paranoid = kernel.perfEventParanoid ?? 0;
  if (!isPrivileged(facts) && paranoid > -1) {
    return 'For the tracepoint run the command as root (sudo), or grant perf the capability CAP_PERFMON and the tracepoint files: sudo setcap cap_perfmon+ep "$(readlink -f "$(command -v perf)")" && sudo mount -o remount,mode=755 /sys/kernel/tracing, with kernel.perf_event_paranoid -1';
  }
  if (!kernel.faultTracepoint) {
    return 'For the tracepoint make its files readable: sudo mount -o remount,mode=755 /sys/kernel/tracing';
  }
  return null;
}
