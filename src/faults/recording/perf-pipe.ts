/**
 * The path from `perf record` to the sums: a buffer for bursts, and `perf script`, which resolves names.
 *
 * `perf script` runs at a low priority, so that the recorded processes keep the processors, until the buffer is half
 * full or the recording is over. Then its priority is raised, which only root may do.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { type Readable, Transform, type TransformCallback, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CowherdError, isSystemError } from '../../base/errors.ts';
import type { FaultReader } from '../profile/fault-reader.ts';
import { keepTail, LONGEST_COMPLAINT, plainEnvironment, setPriorityOf } from './perf-process.ts';
import { PerfScriptParser } from '../perf/perf-script.ts';

/** The fields of `perf script`; `perf-script.ts` parses them. */
export const SCRIPT_FIELDS = 'comm,pid,tid,time,event,addr,ip,sym,symoff,dso';
const SCRIPT_ARGUMENTS = ['script', '--show-lost-events', '--ns', '--force'];

const BUFFERED_BYTES = 128 * 1024 * 1024;

/** Resolves the names of a recorder's samples and passes them to the reader. */
export class Summing {
  readonly #script: ChildProcess;
  /** Rejects if perf script fails. */
  readonly done: Promise<void>;

  constructor(input: Readable, reader: FaultReader) {
    this.#script = spawnScript(['-F', SCRIPT_FIELDS, '-i', '-']);
    setPriorityOf(this.#script, process.getuid?.() === 0 ? constants.priority.PRIORITY_LOW : BELOW_OTHERS);
    this.done = this.#sumUp(input, reader);
    // If the recorder fails too, its failure is the one reported.
    this.done.catch(() => {});
  }

  /** Ends the low priority. */
  hurry(): void {
    setPriorityOf(this.#script, constants.priority.PRIORITY_NORMAL);
  }

  async #sumUp(input: Readable, reader: FaultReader): Promise<void> {
    const buffer = new Buffering(() => this.hurry());
    const [ending] = await Promise.all([
      readScript(this.#script, reader),
      pipeline(input, buffer, this.#script.stdin as Writable).catch((error: unknown) => {
        // If perf script has ended early, its status is reported instead.
        if (!isSystemError(error, 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET')) throw error;
      }),
    ]);
    if (ending.status === 0) return;
    throw new CowherdError('INTERNAL', { detail: `perf script: ${ending.stderr.trim().split('\n').at(-1) ?? ''}` });
  }
}

/** Niceness when not root, who could not undo it: halfway. */
const BELOW_OTHERS = 10;

/** Buffers recorded data that is not read yet. Calls back once when it is half full. */
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
  /** Whether its output ended at the end of a line. */
  readonly whole: boolean;
}

/** Reads all output of a `perf script`. */
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
