/**
 * `perf record`: its arguments, its life, and its failures.
 *
 * The recorder starts with its events disabled. It enables them when told so through a descriptor (`--control`), and
 * answers when it has, so that the start of the recording is known. Its clock is CLOCK_MONOTONIC, like ours. It ends on
 * SIGINT, or when its workload, a `sleep`, does; so it also ends if this process dies.
 *
 * Sources: perf-record(1), tools/perf/Documentation/perf-record.txt (--control, -D -1, --clockid);
 * tools/perf/builtin-record.c.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants, cpus } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { CowherdError, isSystemError } from '../../base/errors.ts';
import { onLines } from '../../base/lines.ts';
import type { Seconds } from '../../base/units.ts';
import type { Instrument } from './instrument.ts';
import { ignoreClosed, keepTail, LONGEST_COMPLAINT, plainEnvironment, setPriorityOf } from './perf-process.ts';

/** How callers are found: by frame pointers, or by unwinding a copy of the stack with debug data. */
export type CallGraph = 'fp' | 'dwarf';

export interface RecordingOptions {
  readonly instrument: Instrument;
  readonly callGraph: CallGraph;
  /** The processes whose faults are recorded, together with those of children that they fork. */
  readonly processes: readonly number[];
  /** The process that workers are forked from. With `fromFork` it is recorded, for the sake of its children. */
  readonly parent: number | null;
  readonly fromFork: boolean;
  readonly seconds: Seconds;
  /** Memory that may be locked for buffers, in bytes; null if unlimited (CAP_IPC_LOCK). */
  readonly lockable: number | null;
  /** Ends the recording before its time. */
  readonly stop: AbortSignal;
  readonly onBegun: () => void;
}

/** How much of each stack `dwarf` copies: enough for some twenty of the interpreter's frames. */
const STACK_BYTES = 4096;
/** How much longer than the time asked for the workload runs, so that we end the recording first. */
const GRACE_SECONDS = 5;
/** The limit of setTimeout. */
const LONGEST_SECONDS = 2_000_000;

/**
 * The size of the kernel's buffer for each processor, for `perf record -m`. Without privilege a user has 516 KiB per
 * processor (kernel.perf_event_mlock_kb), and in addition what the process may lock (RLIMIT_MEMLOCK). With privilege
 * all buffers together get at most 256 MiB. Copied stacks need the largest buffers.
 *
 * @param lockable in bytes; null with privilege
 */
export function bufferSize(lockable: number | null, processors: number, callGraph: CallGraph): string {
  const most = callGraph === 'dwarf' ? 128 : 64;
  const share = (lockable ?? 256 * MEBIBYTE) / Math.max(1, processors);
  const kibibytes = Math.min(most * 1024, (share + FOR_EVERYBODY) / 1024);
  return `${2 ** Math.floor(Math.log2(Math.max(FOR_EVERYBODY / 1024, kibibytes)))}K`;
}

const MEBIBYTE = 1024 * 1024;
const FOR_EVERYBODY = 512 * 1024;

/** The soft limit of RLIMIT_MEMLOCK from /proc/PID/limits, in bytes. */
export function parseLockable(limits: string): number {
  const text = /^Max locked memory +(\S+)/m.exec(limits)?.[1];
  return text === 'unlimited' ? 256 * MEBIBYTE : Number(text ?? 0);
}

export function recorderArguments(options: RecordingOptions, processors: number): string[] {
  const { instrument, callGraph, lockable } = options;
  const followed = options.fromFork && options.parent !== null ? [options.parent] : options.processes;
  const atMost = Math.ceil(Math.min(options.seconds, LONGEST_SECONDS)) + GRACE_SECONDS;
  return [
    'record',
    '--event',
    instrument.event,
    ...(instrument.filter === null ? ['--count', '1'] : ['--filter', instrument.filter]),
    '--data',
    '--call-graph',
    callGraph === 'dwarf' ? `dwarf,${STACK_BYTES}` : 'fp',
    '--user-callchains',
    '--clockid',
    'mono',
    '--mmap-pages',
    bufferSize(lockable, processors, callGraph),
    '--no-buildid-cache',
    '--delay',
    '-1',
    '--control',
    'fd:3,4',
    '--pid',
    followed.join(','),
    '--output',
    '-',
    '--',
    'sleep',
    String(atMost),
  ];
}

/** `perf record`, in a session of its own: a Ctrl-C must reach only us, who end it without cutting off its reader. */
export class Recorder {
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  #isEnded = false;
  #stderr = '';
  #answered: (() => void) | null = null;

  constructor(options: RecordingOptions) {
    this.#process = spawn('perf', recorderArguments(options, cpus().length), {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
      detached: true,
      env: plainEnvironment(),
    });
    // It needs little CPU time, but without delay.
    setPriorityOf(this.#process, constants.priority.PRIORITY_ABOVE_NORMAL);
    this.#ended = new Promise((resolve) => {
      const end = (): void => {
        this.#isEnded = true;
        resolve();
      };
      this.#process.once('exit', () => {
        // Its last output may arrive after the exit. Its workload, which may outlive it, has the same stream.
        if (this.#process.stderr?.closed !== false) return end();
        const timer = setTimeout(end, LAST_WORDS_MS);
        this.#process.stderr.once('close', () => {
          clearTimeout(timer);
          end();
        });
      });
      this.#process.once('error', (error) => {
        this.#stderr += error.message;
        end();
      });
    });
    keepTail(this.#process.stderr, (text) => {
      this.#stderr = (this.#stderr + text).slice(-LONGEST_COMPLAINT);
    });
    const answers = this.#process.stdio[4] as Readable;
    onLines(answers, () => this.#answered?.());
    for (const stream of [this.#process.stdio[3], answers]) stream?.on('error', ignoreClosed);
  }

  get output(): Readable {
    if (this.#process.stdout === null) throw new CowherdError('INTERNAL', { detail: 'perf record has no output' });
    return this.#process.stdout;
  }

  /** Returns when the recorder has answered. */
  async tell(command: 'enable' | 'disable'): Promise<void> {
    const answered = new Promise<void>((resolve) => {
      this.#answered = resolve;
    });
    (this.#process.stdio[3] as Writable).write(`${command}\n`);
    await Promise.race([answered, this.#ended]);
    if (this.#isEnded) throw this.#failure();
  }

  /** Returns when the time is over, when the recorder ends because no process is left, or when `stop` aborts. */
  async until(time: Seconds, stop: AbortSignal): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.min(time, LONGEST_SECONDS) * 1000);
      stop.addEventListener('abort', () => resolve(), { once: true });
      if (stop.aborted) resolve();
    });
    await Promise.race([over, this.#ended]);
    clearTimeout(timer);
  }

  async end(): Promise<void> {
    if (!this.#isEnded) this.#process.kill('SIGINT');
    await this.#ended;
    // After success perf kills itself with the signal that it got, or with the one that it ended its workload with.
    const { exitCode, signalCode } = this.#process;
    if (exitCode !== 0 && signalCode !== 'SIGINT' && signalCode !== 'SIGTERM') throw this.#failure();
  }

  /** Kills the recorder and its workload. */
  kill(): void {
    const { pid } = this.#process;
    if (this.#isEnded || pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch (error) {
      if (!isSystemError(error, 'ESRCH')) throw error;
    }
  }

  #failure(): CowherdError {
    return failureOf(this.#stderr);
  }
}

const LAST_WORDS_MS = 300;

/** The error for what `perf record` printed when it failed. */
export function failureOf(stderr: string): CowherdError {
  const said = stderr
    .split('\n')
    .map((line) => line.trim().replace(/\.$/, ''))
    .find((line) => line !== '' && !/^(Error:?$|Events (en|dis)abled|\[ perf record)/.test(line));
  const detail = said ?? 'perf record ended by itself';
  if (/No such process|create thread\/CPU maps/i.test(stderr)) return new CowherdError('PROCESS_ENDED', { detail });
  if (/permi(tted|ssion)|paranoid|is limited|Operation not|EACCES|EPERM|lockdown/i.test(stderr)) {
    return new CowherdError('PERF_NOT_ALLOWED', { detail });
  }
  return new CowherdError('INTERNAL', { detail: `perf record: ${detail}` });
}
