/**
 * A recording by perf, summed up while it runs.
 *
 *     perf record -o - ──> a buffer of up to 128 MiB ──> perf script -i - ──> sums
 *
 * A pipe instead of a file: nothing is written to disk, and memory does not grow with time. perf 6.1 passes everything
 * needed through a pipe (event formats, mappings, lost samples). The buffer absorbs bursts: a collection makes 100,000
 * faults in a second, and `perf script` is slower than that. `perf script` runs at a low priority, so that the recorded
 * processes keep the processors, until the buffer is half full or the recording is over.
 */
import { monotonicClock } from '../../base/clock.ts';
import { type Seconds, seconds } from '../../base/units.ts';
import { FaultReader } from '../profile/fault-reader.ts';
import { PerfMaps } from '../perf/perf-map.ts';
import { Summing } from './perf-pipe.ts';
import { Recorder, type RecordingOptions } from './perf-record.ts';
import { readSharedPages, type SharedPages } from '../profile/shared-pages.ts';

export interface Recording {
  readonly reader: FaultReader;
  readonly seconds: Seconds;
}

/** @throws CowherdError PERF_NOT_ALLOWED, PROCESS_ENDED */
export async function recordFaults(options: RecordingOptions): Promise<Recording> {
  const maps = new PerfMaps();
  for (const pid of options.processes) maps.look(pid);
  const shared = new SharedAtStart(options);
  let startSeconds: number | null = null;
  const reader = new FaultReader({
    excluded: new Set(options.fromFork && options.parent !== null ? [options.parent] : []),
    sharedPagesOf: options.instrument.name === 'tracepoint' ? null : (pid) => shared.of(pid),
    startSeconds: () => startSeconds,
    unwound: options.callGraph === 'dwarf',
    maps,
  });
  const recorder = new Recorder(options);
  try {
    const summing = new Summing(recorder.output, reader);
    // The answer to this command tells that the recorder is ready.
    await recorder.tell('disable');
    shared.read();
    startSeconds = monotonicClock.now() / 1000;
    await recorder.tell('enable');
    options.onBegun();
    await recorder.until(options.seconds, options.stop);
    const endSeconds = monotonicClock.now() / 1000;
    await recorder.end();
    summing.hurry();
    await summing.done;
    return { reader, seconds: seconds(endSeconds - startSeconds) };
  } finally {
    recorder.kill();
    maps.close();
  }
}

/** The shared pages of each process, read before the first fault is recorded. New processes get their parent's. */
class SharedAtStart {
  readonly #options: RecordingOptions;
  readonly #known = new Map<number, SharedPages>();
  #ofParent: SharedPages | null = null;

  constructor(options: RecordingOptions) {
    this.#options = options;
  }

  read(): void {
    const { instrument, processes, parent, fromFork } = this.#options;
    if (instrument.name === 'tracepoint') return;
    if (parent !== null) this.#ofParent = readSharedPages(parent, true);
    if (fromFork) return;
    for (const pid of processes) {
      const pages = readSharedPages(pid, false);
      if (pages !== null) this.#known.set(pid, pages);
    }
  }

  of(pid: number): SharedPages | null {
    const known = this.#known.get(pid);
    if (known !== undefined || this.#ofParent === null) return known ?? null;
    const pages = this.#ofParent.copy();
    if (this.#known.size < MOST_PROCESSES) this.#known.set(pid, pages);
    return pages;
  }
}

const MOST_PROCESSES = 1000;
