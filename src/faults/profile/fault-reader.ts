/** Turns samples into faults: drops those that are not copies, names Python functions, and determines causes. */
import { believable } from './callers.ts';
import { causeOf } from './causes.ts';
import type { PerfMaps } from '../perf/perf-map.ts';
import { frameOfMap } from '../perf/perf-map.ts';
import type { Frame, Sample, ScriptReader } from '../perf/perf-script.ts';
import { Profile } from './profile.ts';
import type { ProfileFrame } from '../perf/profile-frame.ts';
import type { SharedPages } from './shared-pages.ts';

export interface FaultReaderOptions {
  /** Pids whose own faults are dropped: with `--from-fork`, the parent. */
  readonly excluded: ReadonlySet<number>;
  /** For an event that reports all faults: the pages that a process shared. Null if all faults count. */
  readonly sharedPagesOf: ((pid: number) => SharedPages | null) | null;
  /** The start by perf's clock; null for the time of the first sample. */
  readonly startSeconds: () => number | null;
  /** Whether callers were found with debug data; false if not known. */
  readonly unwound: boolean;
  /** Null for an import, whose pids belong to other processes on this machine. */
  readonly maps: PerfMaps | null;
}

/** A write (2) from user mode (4) to a page that is present (1): enum x86_pf_error_code. */
const COPY_ON_WRITE = 7;
const FAULT_EVENT = /page[-_]?faults?|^(minor-)?faults\b/;
/** Recordings have few events, but a damaged one may have any number. */
const MOST_EVENTS = 20;
const UNNAMED_MEMORY = /^(\/\/anon|\[anon.*|\[unknown\]|anon_inode.*|memfd.*|\/tmp\/perf-\d+\.map)$/;

export class FaultReader implements ScriptReader {
  readonly #options: FaultReaderOptions;
  readonly profile = new Profile();
  /** Faults that were not copies: for fresh memory, or for the first read of a page. */
  notCopies = 0;
  /** Faults of the excluded processes. */
  excludedFaults = 0;
  /** Numbers of samples of other events, by event. */
  readonly otherEvents = new Map<string, number>();
  unreadable = 0;
  firstUnreadable: { readonly line: string; readonly number: number } | null = null;
  #lostInRings = 0;
  #lostInAll = 0;
  #firstSeconds: number | null = null;
  /** The time of the last fault, since the start. */
  lastSeconds = 0;

  constructor(options: FaultReaderOptions) {
    this.#options = options;
  }

  /** perf reports losses as they happen, and their total once more at the end. */
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
  // An inlined function has the file of the function it was inlined into.
  const file = frame.module ?? frames.slice(index).find(({ module }) => module !== null)?.module ?? '';
  if (frame.name === null) return { name: file === '' ? '[unknown]' : `[${baseName(file)}]`, file, language: 'native' };
  if (frame.name.startsWith('py::')) return frameOfMap(frame.name);
  return { name: frame.name, file, language: 'native' };
}

function baseName(path: string): string {
  return path.replace(/^.*\//s, '').replaceAll(/^\[|\]$/g, '');
}
