/**
 * The supervisor's state in a file of the runtime directory, for its successor if it is killed.
 *
 * The file only helps: the keeper itself knows which processes exist. A full disk, or an unreadable file, must never
 * stop serving.
 */
import { join } from 'node:path';
import * as v from 'valibot';
import { isSystemError } from '../../base/errors.ts';
import { firstIssue } from '../../base/first-issue.ts';
import { inodeOf } from '../../base/inode.ts';
import type { Log } from '../../base/log.ts';
import { printable } from '../../base/printable.ts';
import { readBounded, replaceFile } from '../../base/safe-file.ts';
import { herdState } from './herd-schema.ts';
import { HERD_FILE } from './runtime-directory.ts';
import { pid } from './schema-parts.ts';
import type { HerdState } from '../herd/state.ts';

/** Raised with every change that an older supervisor would misunderstand. */
const FILE_VERSION = 1;

/** The file of 1,000 workers has some 500,000. */
const MOST_BYTES = 64 * 1024 * 1024;

/** The shortest interval between two writes, in milliseconds; the first change after a pause is written at once. */
const WRITE_EVERY_MS = 10;

/** How a herd was started. */
export interface HerdOrigin {
  python: string;
  arguments: string[];
  cwd: string;
}

export interface SavedHerd {
  supervisorPid: number;
  origin: HerdOrigin;
  state: HerdState;
}

/** Writes the file atomically when something has changed; logs a failure once. */
export class HerdFile {
  readonly #path: string;
  readonly #origin: HerdOrigin;
  readonly #log: Log;
  readonly #directory: string;
  /** The inode of the file's folder, which may be replaced by another one. */
  #folder: number | null;
  #written = '';
  #failed = false;
  #isStopped = false;
  /** The file belongs to another herd, which serves. */
  #isHeldBack: boolean;
  #pending: HerdState | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(directory: string, origin: HerdOrigin, log: Log, isHeldBack = false) {
    this.#isHeldBack = isHeldBack;
    this.#directory = directory;
    this.#folder = inodeOf(directory);
    this.#path = join(directory, HERD_FILE);
    this.#origin = origin;
    this.#log = log;
  }

  /** @param atOnce write before this returns, although the last write may be only a moment ago */
  save(state: HerdState, atOnce = false): void {
    this.#pending = state;
    if ((this.#timer !== null && !atOnce) || this.#isStopped || this.#isHeldBack) return;
    this.#write();
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#write();
    }, WRITE_EVERY_MS);
    this.#timer.unref();
  }

  /** Writes the file although nothing has changed, into the current folder, because it is gone. */
  again(state: HerdState): void {
    this.#folder = inodeOf(this.#directory);
    this.#written = '';
    this.save(state);
  }

  /** Makes the file this herd's. */
  own(state: HerdState): void {
    this.#isHeldBack = false;
    this.save(state);
  }

  /** Stops writing. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#isStopped = true;
  }

  #write(): void {
    if (this.#pending === null || inodeOf(this.#directory) !== this.#folder) return;
    // The pulse changes each second and is useless to another supervisor.
    const state = { ...this.#pending, keeperPulse: null };
    const saved: SavedHerd = { supervisorPid: process.pid, origin: this.#origin, state };
    this.#pending = null;
    const text = JSON.stringify({ version: FILE_VERSION, ...saved });
    // The request counters of live workers are in the scoreboard.
    const compared = text.replaceAll(/"requestsFinished":\d+/g, '');
    if (compared === this.#written) return;
    try {
      replaceFile(this.#path, text, 0o600, '.new');
    } catch (error) {
      if (!this.#failed) this.#log.warning(problem(this.#path, error));
      this.#failed = true;
      return;
    }
    if (this.#failed) this.#log.info(`${this.#path} can be written again`);
    this.#failed = false;
    this.#written = compared;
  }
}

function problem(path: string, error: unknown): string {
  return (
    `${path} can't be written (${error instanceof Error ? error.message : String(error)}). The herd keeps serving,` +
    ' but a supervisor that adopts it would lack its saved state'
  );
}

const header = v.object({ version: v.number() });

const savedHerd: v.GenericSchema<unknown, SavedHerd> = v.object({
  supervisorPid: pid,
  origin: v.object({ python: v.string(), arguments: v.array(v.string()), cwd: v.string() }),
  state: herdState,
});

/** The data of a file, or why it can't be used: one line that begins with the file's path. */
type Read<Data> = { saved: Data; problem: null } | { saved: null; problem: string };

/** Reads the file of a dead supervisor. A field that is wrong, or is missing from it, makes all of it useless. */
export function readHerdFile(directory: string): Read<SavedHerd> {
  const { saved, problem } = readHerdData(directory);
  if (problem !== null) return { saved: null, problem };
  const result = v.safeParse(savedHerd, saved, { abortEarly: true });
  if (result.success) return { saved: result.output, problem: null };
  return { saved: null, problem: `${join(directory, HERD_FILE)}: ${firstIssue(result.issues)}` };
}

/** Reads the file, of this version, without a look at its fields. */
export function readHerdData(directory: string): Read<unknown> {
  const path = join(directory, HERD_FILE);
  try {
    const text = readBounded(path, { mostBytes: MOST_BYTES, noLink: true }).toString('utf8');
    const parsed: unknown = JSON.parse(text);
    const read = v.safeParse(header, parsed);
    if (!read.success) throw new Error(firstIssue(read.issues));
    const { version } = read.output;
    if (version !== FILE_VERSION) throw new Error(`it is of version ${version}, not ${FILE_VERSION}`);
    return { saved: parsed, problem: null };
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return { saved: null, problem: `${path} does not exist` };
    // What JSON.parse says has a piece of the file in it.
    return { saved: null, problem: `${path}: ${printable(error instanceof Error ? error.message : String(error))}` };
  }
}
