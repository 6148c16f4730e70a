/**
 * A recording by perf, summed up while it runs.
 *
 *     perf record -o - ──> up to 128 MiB of what is not read yet ──> perf script -i - ──> sums
 *
 * A pipe and no file: nothing is written to a disk, and the memory does not grow with the time. perf 6.1 writes and
 * reads all that is needed through a pipe (event formats, mappings, lost samples). The buffer is there because faults
 * come in bursts, a collection makes 100,000 of them in a second, and `perf script` names them slower than that; it
 * runs with the lowest priority, so that who is recorded keeps the processors, until the buffer is half full or the
 * recording is over.
 *
 * The recorder starts with its events disabled, is told to enable them through a descriptor (`--control`), and answers
 * when it has; so the first instant is known. Its clock is CLOCK_MONOTONIC, as ours. It ends when its workload, a
 * `sleep`, does, or is told to by SIGINT; so it also ends when nobody is left to tell it.
 *
 * Sources: perf-record(1), tools/perf/Documentation/perf-record.txt (--control, -D -1, --clockid);
 * tools/perf/builtin-record.c.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants, cpus, setPriority } from 'node:os';
import { type Readable, Transform, type TransformCallback, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { monotonicClock } from '../base/clock.ts';
import { CowherdError, isSystemError } from '../base/errors.ts';
import { onLines } from '../base/lines.ts';
import { type Seconds, seconds } from '../base/units.ts';
import { FaultReader } from './fault-reader.ts';
import type { Instrument } from './instrument.ts';
import { PerfMaps } from './perf-map.ts';
import { PerfScriptParser } from './perf-script.ts';
import { readSharedPages, type SharedPages } from './shared-pages.ts';

/** How callers are found: by frame pointers, or by unwinding a copy of the stack with the program's debug data. */
export type CallGraph = 'fp' | 'dwarf';

export interface RecordingOptions {
  readonly instrument: Instrument;
  readonly callGraph: CallGraph;
  /** Whose faults are recorded, and those of the children that they will fork. */
  readonly processes: readonly number[];
  /** The process that workers are forked from; with `fromFork` it is the one recorded, for the sake of its children. */
  readonly parent: number | null;
  readonly fromFork: boolean;
  readonly seconds: Seconds;
  /** Memory that may be locked for buffers, in bytes; null for who may lock any (CAP_IPC_LOCK). */
  readonly lockable: number | null;
  /** Ends the recording before its time. */
  readonly stop: AbortSignal;
  readonly onBegun: () => void;
}

export interface Recording {
  readonly reader: FaultReader;
  readonly seconds: Seconds;
}

/** Fields of `perf script`; what a name or a path is made of is in `perf-script.ts`. */
export const SCRIPT_FIELDS = 'comm,pid,tid,time,event,addr,ip,sym,symoff,dso';
const SCRIPT_ARGUMENTS = ['script', '--show-lost-events', '--ns', '--force'];

const BUFFERED_BYTES = 128 * 1024 * 1024;
/** Of each stack that `dwarf` copies: enough for some twenty of the interpreter's frames. */
const STACK_BYTES = 4096;
/** How long the workload outlives the time asked for; we are the first to end it. */
const GRACE_SECONDS = 5;
/** setTimeout takes no more. */
const LONGEST_SECONDS = 2_000_000;

/**
 * The kernel's buffer of each processor, as `perf record -m` takes it. Without privilege a user has 516 KiB a processor
 * (kernel.perf_event_mlock_kb), and beyond that what the process may lock (RLIMIT_MEMLOCK); with it, all of them
 * together get at most 256 MiB. Copied stacks need the most.
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

/** RLIMIT_MEMLOCK out of /proc/PID/limits; its soft limit, in bytes. */
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
    // An answer to anything says that the recorder is ready.
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

/** The shared pages of each process, read before the first fault is recorded; of new ones, their parent's. */
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

/** `perf record`, in a session of its own: a Ctrl-C is ours to tell it of, and not to cut off who reads it. */
class Recorder {
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
    // It takes little, but must take it in time.
    setPriorityOf(this.#process, constants.priority.PRIORITY_ABOVE_NORMAL);
    this.#ended = new Promise((resolve) => {
      const end = (): void => {
        this.#isEnded = true;
        resolve();
      };
      this.#process.once('exit', () => {
        // What it said comes after it; but its workload has the same stream, and may outlive it.
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

  /** Returns when it is done. */
  async tell(command: 'enable' | 'disable'): Promise<void> {
    const answered = new Promise<void>((resolve) => {
      this.#answered = resolve;
    });
    (this.#process.stdio[3] as Writable).write(`${command}\n`);
    await Promise.race([answered, this.#ended]);
    if (this.#isEnded) throw this.#failure();
  }

  /** Returns when the time is over, when nobody is left that is recorded, or when it is to stop. */
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
    // After a good end it ends itself by the signal that ended it, or by the one that it ended its workload with.
    const { exitCode, signalCode } = this.#process;
    if (exitCode !== 0 && signalCode !== 'SIGINT' && signalCode !== 'SIGTERM') throw this.#failure();
  }

  /** With its workload. */
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
const LONGEST_COMPLAINT = 16 * 1024;

/** What `perf record` says when it cannot. */
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

/** Names the samples of a recorder, and gives them to the reader. */
class Summing {
  readonly #script: ChildProcess;
  /** Rejects where perf script fails. */
  readonly done: Promise<void>;

  constructor(input: Readable, reader: FaultReader) {
    this.#script = spawnScript(['-F', SCRIPT_FIELDS, '-i', '-']);
    setPriorityOf(this.#script, process.getuid?.() === 0 ? constants.priority.PRIORITY_LOW : BELOW_OTHERS);
    this.done = this.#sumUp(input, reader);
    // Where the recorder fails too, that is what is told.
    this.done.catch(() => {});
  }

  /** From now on nobody has to be given way. */
  hurry(): void {
    setPriorityOf(this.#script, constants.priority.PRIORITY_NORMAL);
  }

  async #sumUp(input: Readable, reader: FaultReader): Promise<void> {
    const buffer = new Buffering(() => this.hurry());
    const [ending] = await Promise.all([
      readScript(this.#script, reader),
      pipeline(input, buffer, this.#script.stdin as Writable).catch((error: unknown) => {
        // Where perf script has ended early, its status tells.
        if (!isSystemError(error, 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET')) throw error;
      }),
    ]);
    if (ending.status === 0) return;
    throw new CowherdError('INTERNAL', { detail: `perf script: ${ending.stderr.trim().split('\n').at(-1) ?? ''}` });
  }
}

/** Of who may not raise it again: half of the way down. */
const BELOW_OTHERS = 10;

/** What is recorded and not read yet. When it is half full, who reads it has to hurry. */
class Buffering extends Transform {
  readonly #onHalf: () => void;
  #isHurried = false;

  constructor(onHalf: () => void) {
    super({ writableHighWaterMark: BUFFERED_BYTES });
    this.#onHalf = onHalf;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (!this.#isHurried && this.writableLength > BUFFERED_BYTES / 2) {
      this.#isHurried = true;
      this.#onHalf();
    }
    done(null, chunk);
  }
}

export function spawnScript(args: readonly string[]): ChildProcess {
  const script = spawn('perf', [...SCRIPT_ARGUMENTS, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    env: plainEnvironment(),
  });
  return script;
}

/** Lower it anybody may, raise it only root; where it can't be, it stays. */
function setPriorityOf({ pid }: ChildProcess, priority: number): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, priority);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

export interface ScriptEnding {
  readonly status: number | null;
  readonly stderr: string;
  /** Whether its output ended where a line ends. */
  readonly whole: boolean;
}

/** Reads all that it prints. */
export async function readScript(script: ChildProcess, reader: FaultReader): Promise<ScriptEnding> {
  const parser = new PerfScriptParser(reader);
  let stderr = '';
  keepTail(script.stderr, (text) => {
    stderr = (stderr + text).slice(-LONGEST_COMPLAINT);
  });
  script.stdout?.setEncoding('utf8').on('data', (text: string) => parser.push(text));
  const status = await new Promise<number | null>((resolve) => {
    script.once('close', resolve);
    script.once('error', (error) => {
      stderr += error.message;
      resolve(null);
    });
  });
  return { status, stderr, whole: parser.end() };
}

function keepTail(stream: Readable | null, keep: (text: string) => void): void {
  stream?.setEncoding('utf8').on('data', keep);
}

function ignoreClosed(error: Error): void {
  if (!isSystemError(error)) throw error;
}

/** No settings of the user's own, no symbols from the network, and messages in the language that they are looked for in. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: 'C', PAGER: 'cat', PERF_CONFIG: '/dev/null', DEBUGINFOD_URLS: '' };
}
