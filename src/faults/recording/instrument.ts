/**
 * With which event copy-on-write faults are recorded here. Pure.
 *
 * - The tracepoint exceptions:page_fault_user with `error_code==7`: a write (2) from user mode (4) to a page that is
 *   present (1). Such a fault is a copy, or the finding that no copy is needed any more. Source:
 *   arch/x86/include/asm/trap_pf.h (enum x86_pf_error_code), arch/x86/include/asm/trace/exceptions.h. x86 only: other
 *   architectures have no such tracepoint, or other numbers.
 * - The software event page-faults:u tells of all faults, also of those for fresh memory; which of them were copies is
 *   told by the pages that were there at the start (`shared-pages.ts`).
 *
 * What each needs: Documentation/admin-guide/sysctl/kernel.rst (perf_event_paranoid) and
 * Documentation/admin-guide/perf-security.rst. Neither sees copies that the kernel makes in user memory, as read(2)
 * into a buffer does.
 */
import { CowherdError } from '../../base/errors.ts';
import type { KernelFacts } from '../../procfs/kernel.ts';

export type InstrumentName = 'tracepoint' | 'software';

export interface Instrument {
  readonly name: InstrumentName;
  /** As perf names it. */
  readonly event: string;
  readonly filter: string | null;
  /** For people: what it counts. */
  readonly meaning: string;
  /** Why it is not the better one, and how to have that; null where it is. */
  readonly missing: string | null;
}

export interface RecordingFacts {
  readonly kernel: Pick<KernelFacts, 'capabilities' | 'perfEventParanoid' | 'faultTracepoint'>;
  /** As Node names it: "x64". */
  readonly architecture: string;
  /** Whether tracefs is mounted anywhere; who may read it is another question. */
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
 * The tracepoint where it can be had, unless `wanted` says otherwise.
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
  // Above 2 (an addition of Debian and Ubuntu) nobody without a privilege may record even their own processes.
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

/** What to do to have the tracepoint; null where it can be had. */
function missingForTracepoint(facts: RecordingFacts): string | null {
  const { kernel, architecture, tracefsMounted } = facts;
  if (architecture !== 'x64') return `The tracepoint ${TRACEPOINT.event} exists only on x86; this is ${architecture}.`;
  if (!tracefsMounted) {
    return 'To use the tracepoint, mount tracefs: sudo mount -t tracefs tracefs /sys/kernel/tracing';
  }
  const paranoid = kernel.perfEventParanoid ?? 0;
  if (!isPrivileged(facts) && paranoid > -1) {
    return 'To use the tracepoint, run the command as root (sudo), or grant perf the capability CAP_PERFMON and the tracepoint files: sudo setcap cap_perfmon+ep "$(readlink -f "$(command -v perf)")" && sudo mount -o remount,mode=755 /sys/kernel/tracing, with kernel.perf_event_paranoid -1';
  }
  if (!kernel.faultTracepoint) {
    return 'To use the tracepoint, make its files readable: sudo mount -o remount,mode=755 /sys/kernel/tracing';
  }
  return null;
}
