/** The report of a recording as data, which `--json` prints and the texts and pages are made from. */
import type { Counters } from './counters.ts';
import { type FaultCause, FAULT_CAUSE_NAMES } from '../profile/causes.ts';
import type { FaultReader } from '../profile/fault-reader.ts';
import type { Instrument } from './instrument.ts';
import type { Bucket, Profile } from '../profile/profile.ts';
import type { ProfileFrame } from '../perf/profile-frame.ts';
import type { CallGraph } from './perf-record.ts';

/** Raised when the meaning of a field changes. */
const REPORT_VERSION = 1;

export interface CauseShare {
  readonly faults: number;
  readonly bytes: number;
  readonly percent: number;
}

export interface FunctionShare extends CauseShare {
  readonly name: string;
  readonly file: string;
  readonly language: ProfileFrame['language'];
  /** The cause of most of its faults. */
  readonly cause: FaultCause;
}

export interface CounterGroup extends Counters {
  readonly group: 'parent' | 'workers';
  readonly processes: readonly number[];
}

export interface RecordReport {
  readonly version: number;
  /** The recorded processes, in a few words. */
  readonly title: string;
  readonly taken_at: string;
  /** Null for an import, whose parent is not known. */
  readonly parent: number | null;
  readonly from_fork: boolean;
  readonly seconds: number;
  readonly page_bytes: number;
  readonly instrument: {
    readonly name: string;
    readonly event: string;
    readonly meaning: string;
    readonly missing: string | null;
  };
  readonly call_graph: CallGraph | null;
  readonly faults: number;
  readonly bytes: number;
  readonly lost: number;
  readonly lost_percent: number;
  /** Recorded faults that are not copies. */
  readonly other_faults: number;
  /** Faults with all callers known. */
  readonly whole_stacks_percent: number;
  readonly causes: Readonly<Record<FaultCause, CauseShare>>;
  readonly processes: readonly {
    readonly pid: number;
    readonly name: string;
    readonly faults: number;
    readonly bytes: number;
  }[];
  /** Faults by innermost function. */
  readonly functions: readonly FunctionShare[];
  /** Faults by innermost Python function; faults without one are left out. */
  readonly python_functions: readonly FunctionShare[];
  readonly stacks: readonly (CauseShare & { readonly cause: FaultCause; readonly frames: readonly string[] })[];
  readonly over_time: { readonly bucket_seconds: number; readonly buckets: readonly Readonly<Bucket>[] };
  /** Null if not asked for. */
  readonly counters: readonly CounterGroup[] | null;
  readonly remarks: readonly string[];
}

export interface ReportFacts {
  readonly title: string;
  readonly takenAt: Date;
  readonly parent: number | null;
  readonly fromFork: boolean;
  readonly seconds: number;
  readonly pageBytes: number;
  /** Null for an import. */
  readonly instrument: Instrument | null;
  readonly callGraph: CallGraph | null;
  readonly counters: readonly CounterGroup[] | null;
}

const MOST_FUNCTIONS = 30;
const MOST_STACKS = 50;
/** Percent of all faults; above it a remark tells that code has no symbols. */
const UNNAMED_WORTH_A_REMARK = 20;
/** Percent of all faults; fewer complete stacks are worth a remark. */
const WHOLE_ENOUGH = 50;

export function recordReport(reader: FaultReader, facts: ReportFacts): RecordReport {
  const { profile, lost } = reader;
  const share = (faults: number): CauseShare => ({
    faults,
    bytes: faults * facts.pageBytes,
    percent: percent(faults, profile.faults),
  });
  return {
    version: REPORT_VERSION,
    title: facts.title,
    taken_at: facts.takenAt.toISOString(),
    parent: facts.parent,
    from_fork: facts.fromFork,
    seconds: facts.seconds,
    page_bytes: facts.pageBytes,
    instrument: instrumentOf(facts.instrument),
    call_graph: facts.callGraph,
    faults: profile.faults,
    bytes: profile.faults * facts.pageBytes,
    lost,
    lost_percent: percent(lost, lost + profile.faults + reader.notCopies + reader.excludedFaults),
    other_faults: reader.notCopies,
    whole_stacks_percent: percent(profile.wholeStacks, profile.faults),
    causes: Object.fromEntries(FAULT_CAUSE_NAMES.map((name) => [name, share(profile.causes[name])])) as Record<
      FaultCause,
      CauseShare
    >,
    processes: profile.processes.map(({ pid, command, count }) => ({
      pid,
      name: command,
      faults: count,
      bytes: count * facts.pageBytes,
    })),
    functions: functionsOf(profile, share, () => true),
    python_functions: functionsOf(profile, share, ({ language }) => language === 'python'),
    stacks: profile.stacks.slice(0, MOST_STACKS).map(({ frames, cause, count }) => {
      const names = frames.map((frame) => profile.frames[frame]?.name ?? '');
      return Object.assign(share(count), { cause, frames: names });
    }),
    over_time: overTime(profile, facts.seconds),
    counters: facts.counters,
    remarks: remarksOn(reader, facts),
  };
}

function overTime(profile: Profile, seconds: number): RecordReport['over_time'] {
  const buckets = profile.bucketsUntil(seconds);
  return { bucket_seconds: profile.bucketSeconds, buckets };
}

function instrumentOf(instrument: Instrument | null): RecordReport['instrument'] {
  if (instrument === null) {
    return { name: 'import', event: 'recorded elsewhere', meaning: 'page faults', missing: null };
  }
  const { name, event, filter, meaning, missing } = instrument;
  return { name, event: filter === null ? event : `${event}, ${filter}`, meaning, missing };
}

function functionsOf(
  profile: Profile,
  share: (faults: number) => CauseShare,
  isMeant: (frame: ProfileFrame) => boolean,
): FunctionShare[] {
  const byFrame = new Map<number, { faults: number; causes: Map<FaultCause, number> }>();
  for (const { frames, cause, count } of profile.stacks) {
    const innermost = frames.findLast((frame) => {
      const found = profile.frames[frame];
      return found !== undefined && isMeant(found);
    });
    if (innermost === undefined) continue;
    const known = byFrame.get(innermost) ?? { faults: 0, causes: new Map<FaultCause, number>() };
    known.faults += count;
    known.causes.set(cause, (known.causes.get(cause) ?? 0) + count);
    byFrame.set(innermost, known);
  }
  return [...byFrame]
    .toSorted(([, a], [, b]) => b.faults - a.faults)
    .slice(0, MOST_FUNCTIONS)
    .flatMap(([number, { faults, causes }]) => {
      const frame = profile.frames[number];
      const [cause = 'other'] = [...causes].toSorted((a, b) => b[1] - a[1])[0] ?? [];
      return frame === undefined ? [] : [{ ...frame, ...share(faults), cause }];
    });
}

function remarksOn(reader: FaultReader, facts: ReportFacts): string[] {
  const { profile, lost } = reader;
  const remarks: string[] = [];
  if (facts.instrument?.missing) remarks.push(facts.instrument.missing);
  if (lost > 0) {
    remarks.push(
      facts.callGraph === 'dwarf'
        ? 'Faults came faster than their stacks could be copied: --call-graph fp loses less.'
        : 'Faults came faster than they could be written down; their shares are still right if those lost are like the others.',
    );
  }
  const isCut = profile.faults > 0 && percent(profile.wholeStacks, profile.faults) < WHOLE_ENOUGH;
  if (isCut && facts.callGraph === 'fp') {
    remarks.push(
      'Callers are missing: the interpreter is built without frame pointers. --call-graph dwarf finds them, and takes more time and memory.',
    );
  }
  const unnamed = unnamedCode(profile);
  if (unnamed !== null && percent(unnamed.faults, profile.faults) > UNNAMED_WORTH_A_REMARK) {
    remarks.push(
      `${percent(unnamed.faults, profile.faults).toFixed(0)}% of the faults are in code without symbols, most of them in ${unnamed.file}: their cause is not known. With the debug symbols of that package perf can name it.`,
    );
  }
  if (profile.mergedStacks > 0) {
    remarks.push(
      `${profile.mergedStacks} faults had too many different stacks: of these only the last function counts.`,
    );
  }
  if (reader.unreadable > 0) remarks.push(`${reader.unreadable} lines of perf script could not be read.`);
  return remarks;
}

/** The faults whose innermost function has no name, and the file with most of them. */
function unnamedCode({ stacks, frames }: Profile): { faults: number; file: string } | null {
  const byFile = new Map<string, number>();
  for (const { frames: numbers, count } of stacks) {
    const innermost = frames[numbers.at(-1) ?? -1];
    if (innermost?.name.startsWith('[') !== true) continue;
    byFile.set(innermost.file, (byFile.get(innermost.file) ?? 0) + count);
  }
  const [most] = [...byFile].toSorted((a, b) => b[1] - a[1]);
  if (most === undefined) return null;
  return { faults: [...byFile.values()].reduce((sum, count) => sum + count, 0), file: most[0] };
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : (100 * part) / whole;
}
