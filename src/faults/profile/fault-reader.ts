/** Makes faults of samples: leaves out what is no copy, names Python's functions, and tells the cause. */
import { believable } from './callers.ts';
import { causeOf } from './causes.ts';
import type { PerfMaps } from '../perf/perf-map.ts';
import { frameOfMap } from '../perf/perf-map.ts';
import type { Frame, Sample, ScriptReader } from '../perf/perf-script.ts';
import { Profile } from './profile.ts';
import type { ProfileFrame } from '../perf/profile-frame.ts';
import type { SharedPages } from './shared-pages.ts';

export interface FaultReaderOptions {
  /** Whose faults are not asked for: the process that only the children of are followed. */
  readonly excluded: ReadonlySet<number>;
  /** For an event that tells of all faults: the pages that a process shared; null where all faults count. */
  readonly sharedPagesOf: ((pid: number) => SharedPages | null) | null;
  /** By perf's clock; null: when the first sample comes. */
  readonly startSeconds: () => number | null;
  /** Whether callers were found with debug data; false where that is not known. */
  readonly unwound: boolean;
  /** Null for a recording of elsewhere: its processes are not those that have these numbers here. */
  readonly maps: PerfMaps | null;
}

/** write (2), from user mode (4), to a page that is present (1): enum x86_pf_error_code. */
const COPY_ON_WRITE = 7;
const FAULT_EVENT = /page[-_]?faults?|^(minor-)?faults\b/;
/** Recordings name few events; a damaged one may name any. */
const MOST_EVENTS = 20;
const UNNAMED_MEMORY = /^(\/\/anon|\[anon.*|\[unknown\]|anon_inode.*|memfd.*|\/tmp\/perf-\d+\.map)$/;

export class FaultReader implements ScriptReader {
  readonly #options: FaultReaderOptions;
  readonly profile = new Profile();
  /** Faults that were no copies: for fresh memory, or on a page that was read for the first time. */
  notCopies = 0;
  /** Faults of processes that are not asked for. */
  excludedFaults = 0;
  /** Samples of other events, by event. */
  readonly otherEvents = new Map<string, number>();
  unreadable = 0;
  firstUnreadable: { readonly line: string; readonly number: number } | null = null;
  #lostInRings = 0;
  #lostInAll = 0;
  #firstSeconds: number | null = null;
  /** When the last sample came, since the start. */
  lastSeconds = 0;

  constructor(options: FaultReaderOptions) {
    this.#options = options;
  }

  /** perf tells of them as they are lost, and once more, all of them, at the end. */
  get lost(): number {
    return Math.max(this.#lostInRings, this.#lostInAll);
  }

  readonly onLost = (count: number, kind: 'ring' | 'total'): void => {
    if (kind === 'ring') this.#lostInRings += count;
    else this.#lostInAll += count;
  };

  readonly onUnreadable = (line: string, number: number): void => {
    this.unreadable += 1;
    this.firstUnreadable ??= { line, number };
  };

  readonly onSample = (sample: Sample): void => {
    if (!FAULT_EVENT.test(sample.event)) {
      if (this.otherEvents.size < MOST_EVENTS || this.otherEvents.has(sample.event)) {
        this.otherEvents.set(sample.event, (this.otherEvents.get(sample.event) ?? 0) + 1);
      }
      return;
    }
    if (this.#options.excluded.has(sample.pid)) {
      this.excludedFaults += 1;
      return;
    }
    if (!this.#isCopy(sample)) {
      this.notCopies += 1;
      return;
    }
    this.#options.maps?.look(sample.pid);
    this.#firstSeconds ??= sample.seconds;
    const seconds = Math.max(0, sample.seconds - (this.#options.startSeconds() ?? this.#firstSeconds));
    this.lastSeconds = Math.max(this.lastSeconds, seconds);
    const named = sample.frames.map((frame) => this.#withPythonName(frame, sample.pid));
    const { frames, whole } = believable(named, this.#options.unwound);
    const shown = frames.map((frame, index) => profileFrame(frame, frames, index));
    const cause = causeOf(shown);
    this.profile.add({ pid: sample.pid, command: sample.command, seconds, cause, frames: shown, whole });
  };

  #isCopy({ errorCode, faultAddress, pid }: Sample): boolean {
    if (errorCode !== null) return errorCode === COPY_ON_WRITE;
    if (this.#options.sharedPagesOf === null) return true;
    return faultAddress !== null && (this.#options.sharedPagesOf(pid)?.take(faultAddress) ?? false);
  }

  #withPythonName(frame: Frame, pid: number): Frame {
    if (frame.name !== null || frame.module === null || !UNNAMED_MEMORY.test(frame.module)) return frame;
    const found = this.#options.maps?.find(pid, Number.parseInt(frame.address, 16)) ?? null;
    if (found === null) return frame;
    return { ...frame, name: found.language === 'python' ? `py::${found.name}:${found.file}` : found.name };
  }
}

function profileFrame(frame: Frame, frames: readonly Frame[], index: number): ProfileFrame {
  // An inlined function is in the file of the one that it was inlined into.
  const file = frame.module ?? frames.slice(index).find(({ module }) => module !== null)?.module ?? '';
  if (frame.name === null) return { name: file === '' ? '[unknown]' : `[${baseName(file)}]`, file, language: 'native' };
  if (frame.name.startsWith('py::')) return frameOfMap(frame.name);
  return { name: frame.name, file, language: 'native' };
}

function baseName(path: string): string {
  return path.replace(/^.*\//s, '').replaceAll(/^\[|\]$/g, '');
}
