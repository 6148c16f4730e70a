/** `cowherd record`: records which processes copy pages, and from where in the code, as it happens. */
import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { CowherdError, isSystemError } from '../../base/errors.ts';
import { printable, printableJson } from '../../base/printable.ts';
import { seconds } from '../../base/units.ts';
import { collapsedOf } from '../../faults/formats/collapsed.ts';
import { count } from '../../faults/recording/counters.ts';
import { flamePage } from '../../faults/formats/flame-page.ts';
import { importRecording } from '../../faults/recording/import-recording.ts';
import { chooseInstrument, type InstrumentName } from '../../faults/recording/instrument.ts';
import { requirePerf } from '../../faults/recording/perf-command.ts';
import { pprofOf } from '../../faults/formats/pprof.ts';
import type { Profile } from '../../faults/profile/profile.ts';
import { type CallGraph, parseLockable } from '../../faults/recording/perf-record.ts';
import { recordFaults } from '../../faults/recording/recording.ts';
import { type CounterGroup, recordReport, type RecordReport } from '../../faults/recording/report.ts';
import { speedscopeOf } from '../../faults/formats/speedscope.ts';
import { kernelUnits } from '../../procfs/auxv.ts';
import { readKernelFacts } from '../../procfs/kernel.ts';
import { readKernelFile } from '../../procfs/read.ts';
import { readStat } from '../../procfs/stat.ts';
import { findHerd } from '../herd/find-herd.ts';
import { refuseToReplace, writeOutput } from '../shared/output-file.ts';
import { formatRecord } from './record-text.ts';
import { readStatus } from '../herd/read-status.ts';
import { familyOfProcess } from '../herd/family-of-process.ts';

export interface RecordOptions {
  runtimeDir?: string;
  seconds?: number;
  /** Record the next workers from their fork on, not the existing ones. */
  fromFork?: boolean;
  event?: InstrumentName;
  callGraph?: CallGraph;
  counters?: boolean;
  /** A recording made elsewhere. */
  import?: string;
  json?: boolean;
  speedscope?: string;
  pprof?: string;
  collapsed?: string;
  html?: string;
  force?: boolean;
}

/** The recorded processes. */
interface Target {
  readonly title: string;
  /** The process that the workers were forked from; null if it has ended. */
  readonly parent: number | null;
  readonly workers: readonly number[];
}

const USUAL_SECONDS = 10;
const GROUPS = ['parent', 'workers'] as const;

export async function runRecord(pid: number | undefined, options: RecordOptions): Promise<number> {
  for (const path of outputs(options)) refuseOutput(path, options.force);
  if (options.import !== undefined) {
    if (pid !== undefined) throw new CowherdError('USAGE', { detail: 'a recording to import has no pid' });
    await importFrom(options.import, options);
  } else {
    await recordTarget(pid, options);
  }
  return 0;
}

function outputs({ speedscope, pprof, collapsed, html }: RecordOptions): string[] {
  return [speedscope, pprof, collapsed, html].filter((path) => path !== undefined);
}

/** @throws CowherdError OUTPUT_EXISTS, USAGE */
function refuseOutput(path: string, force: boolean | undefined): void {
  refuseToReplace(path, force);
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new CowherdError('USAGE', { detail: `${path} cannot be written (${error.code ?? ''})`, cause: error });
  }
}

async function importFrom(path: string, options: RecordOptions): Promise<void> {
  const reader = await importRecording(path);
  const report = recordReport(reader, {
    title: path,
    takenAt: new Date(),
    parent: null,
    fromFork: false,
    seconds: reader.lastSeconds,
    pageBytes: kernelUnits().pageSize,
    instrument: null,
    callGraph: null,
    counters: null,
  });
  tell(report, reader.profile, options);
}

async function recordTarget(pid: number | undefined, options: RecordOptions): Promise<void> {
  await requirePerf();
  const kernel = readKernelFacts();
  const tracefsMounted = / tracefs /.test(readKernelFile('/proc/self/mounts') ?? '');
  const instrument = chooseInstrument({ kernel, architecture: process.arch, tracefsMounted }, options.event);
  const fromFork = options.fromFork === true;
  const target = pid === undefined ? await targetOfHerd(options) : await targetOfProcess(pid, fromFork);
  if (fromFork && target.parent === null) {
    throw new CowherdError('REFERENCE_LOST', {
      detail: `process ${pid ?? ''}`,
      advice: 'Nothing is forked from it any more: record without --from-fork, or name a living parent.',
    });
  }
  if (!fromFork && target.workers.length === 0) {
    throw new CowherdError('NOT_FORKED', { detail: `process ${target.parent ?? ''} has no worker` });
  }
  const callGraph = options.callGraph ?? 'fp';
  const time = seconds(options.seconds ?? USUAL_SECONDS);
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
  const takenAt = new Date();
  let counting = Promise.resolve<CounterGroup[] | null>(null);
  const { reader, seconds: took } = await recordFaults({
    instrument,
    callGraph,
    processes: target.workers,
    parent: target.parent,
    fromFork,
    seconds: time,
    lockable: kernel.capabilities.sysAdmin ? null : parseLockable(readKernelFile('/proc/self/limits') ?? ''),
    stop: stopping.signal,
    onBegun: () => {
      process.stderr.write(
        `Recording ${printable(target.title)} for ${time} s (${instrument.event}); Ctrl-C ends it earlier\n`,
      );
      if (options.counters === true) counting = countGroups(target, time, stopping.signal);
    },
  });
  stopping.abort();
  const report = recordReport(reader, {
    title: target.title,
    takenAt,
    parent: target.parent,
    fromFork,
    seconds: took,
    pageBytes: kernelUnits().pageSize,
    instrument,
    callGraph,
    counters: await counting,
  });
  tell(report, reader.profile, options);
}

/** The mold of the serving generation, and its workers. */
async function targetOfHerd(options: RecordOptions): Promise<Target> {
  const { herd, molds, workers } = await readStatus(await findHerd(options.runtimeDir));
  const parent = molds.find(({ generation }) => generation === herd.generation)?.pid ?? null;
  const own = workers.filter(({ generation, state }) => generation === herd.generation && state === 'ready');
  const pids = own.map((worker) => worker.pid);
  return titled('the herd', parent, pids, options.fromFork === true);
}

/** @throws CowherdError PROCESS_NOT_FOUND, PROCESS_NOT_READABLE, NOT_FORKED */
async function targetOfProcess(pid: number, fromFork: boolean): Promise<Target> {
  const name = readStat(pid)?.name ?? 'process';
  try {
    const { reference, workers } = await familyOfProcess(pid);
    return titled(name, reference, workers, fromFork);
  } catch (error) {
    if (!(error instanceof CowherdError)) throw error;
    // The parent is not needed to record its workers.
    if (error.code === 'REFERENCE_LOST') return titled(name, null, [pid], fromFork);
    // It may fork soon.
    if (error.code === 'NOT_FORKED' && fromFork) return titled(name, pid, [], fromFork);
    throw error;
  }
}

function titled(name: string, parent: number | null, workers: readonly number[], fromFork: boolean): Target {
  if (fromFork) return { title: `${name}, new workers of ${parent ?? 'nobody'}`, parent, workers };
  const who = workers.length === 1 ? `worker ${workers[0] ?? ''}` : `${workers.length} workers`;
  return { title: `${name}, ${who}${parent === null ? '' : ` of ${parent}`}`, parent, workers };
}

async function countGroups(target: Target, time: ReturnType<typeof seconds>, stop: AbortSignal) {
  const members = { parent: target.parent === null ? [] : [target.parent], workers: target.workers };
  const groups = GROUPS.filter((group) => members[group].length > 0);
  return await Promise.all(
    groups.map(async (group): Promise<CounterGroup> => {
      const counters = await count(members[group], time, stop);
      return Object.assign({ group, processes: members[group] }, counters);
    }),
  );
}

/** Writes the files, then prints the report. */
function tell(report: RecordReport, profile: Profile, options: RecordOptions): void {
  const { page_bytes: pageBytes, seconds: took } = report;
  const write = (path: string, text: string | Uint8Array): void => writeOutput(path, text, options.force);
  if (options.speedscope !== undefined) {
    write(options.speedscope, `${printableJson(speedscopeOf(profile, report.title, pageBytes))}\n`);
  }
  if (options.pprof !== undefined) {
    const takenAt = new Date(report.taken_at);
    write(options.pprof, pprofOf(profile, { takenAt, seconds: took, pageBytes }));
  }
  if (options.collapsed !== undefined) write(options.collapsed, collapsedOf(profile));
  if (options.html !== undefined) write(options.html, flamePage(report, profile));
  process.stdout.write(options.json === true ? `${printableJson(report, 2)}\n` : formatRecord(report));
}
