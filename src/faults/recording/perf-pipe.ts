/**
 * The way from `perf record` to the sums: a buffer for bursts, and `perf script`, which names what was sampled.
 *
 * `perf script` runs with the lowest priority, so that who is recorded keeps the processors, until the buffer is half
 * full or the recording is over.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { type Readable, Transform, type TransformCallback, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CowherdError, isSystemError } from '../../base/errors.ts';
import type { FaultReader } from '../profile/fault-reader.ts';
import { keepTail, LONGEST_COMPLAINT, plainEnvironment, setPriorityOf } from './perf-process.ts';
import { PerfScriptParser } from '../perf/perf-script.ts';

/** Fields of `perf script`; what a name or a path is made of is in `perf-script.ts`. */
export const SCRIPT_FIELDS = 'comm,pid,tid,time,event,addr,ip,sym,symoff,dso';
const SCRIPT_ARGUMENTS = ['script', '--show-lost-events', '--ns', '--force'];

const BUFFERED_BYTES = 128 * 1024 * 1024;

/** Names the samples of a recorder, and gives them to the reader. */
export class Summing {
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

/** The niceness where it could not be lowered again, without root: halfway. */
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
