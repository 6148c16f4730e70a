/**
 * The scoreboard: counters that workers write and the supervisor reads without a message.
 *
 * The layout is that of `agent/cowherd_agent/wire/scoreboard.py`; a test compares the two. Each worker has its own file
 * in memory, sealed and held open by the keeper: a row of unsigned 64-bit little-endian words, followed by the worker's
 * Python stack.
 */
import { closeSync, openSync, readSync, constants } from 'node:fs';

export const SIZE_BYTES = 64 * 1024;
export const STACK_OFFSET = 4096;
export const ROW_WORDS = 32;
export const ROW_BYTES = ROW_WORDS * 8;

/** Word index of each field in a worker's row. */
export const FIELDS = {
  PID: 0,
  GENERATION: 1,
  STATE: 2,
  FORKED_MONOTONIC_NS: 3,
  READY_MONOTONIC_NS: 4,
  HEARTBEAT_MONOTONIC_NS: 5,
  REQUESTS_STARTED: 6,
  REQUESTS_FINISHED: 7,
  COLLECTIONS_OUTSIDE: 8,
  COLLECTIONS_OUTSIDE_NS: 9,
  COLLECTIONS_INSIDE: 10,
  COLLECTIONS_INSIDE_NS: 11,
  GUARD_HELD: 12,
  GUARD_REPORTED: 13,
  OBJECTS_FREED: 14,
  RESPONSE_ERRORS: 15,
  BUSY_NS: 16,
  BUSY_SINCE_MONOTONIC_NS: 17,
  DURATION_NS: 18,
  DURATION_BUCKETS: 19,
} as const;

/** The longest duration of each bucket but the last one, in seconds (DURATION_BOUNDS_NS of the agent). */
export const DURATION_BOUNDS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/** Names of the values of the STATE field, by value. */
export const STATES = ['empty', 'booting', 'ready', 'draining', 'leaving'] as const;

/** A worker's row. Times are seconds; `...MonotonicNs` are CLOCK_MONOTONIC nanoseconds. */
export interface ScoreboardRow {
  pid: number;
  generation: number;
  state: (typeof STATES)[number];
  forkedMonotonicNs: bigint;
  readyMonotonicNs: bigint;
  heartbeatMonotonicNs: bigint;
  requestsStarted: number;
  requestsFinished: number;
  collectionsOutside: number;
  collectionsOutsideSeconds: number;
  collectionsInside: number;
  collectionsInsideSeconds: number;
  guardHeld: number;
  guardReported: number;
  objectsFreed: number;
  responseErrors: number;
  /** The time with a request in flight, up to the last moment without any. */
  busySeconds: number;
  /** Since when a request is in flight; 0 while there is none. */
  busySinceMonotonicNs: bigint;
  /** The sum of the durations of the finished requests. */
  durationSeconds: number;
  /** Finished requests by duration: one bucket for each of DURATION_BOUNDS_SECONDS, and one for longer ones. */
  durationBuckets: number[];
}

/** Parses one row. `bytes` is `ROW_BYTES` long. */
export function parseRow(bytes: Buffer): ScoreboardRow {
  return rowOf((index) => bytes.readBigUInt64LE(index * 8));
}

/** The row whose words the keeper has told, after a worker's end. */
export function rowOfWords(words: readonly number[]): ScoreboardRow {
  return rowOf((index) => BigInt(Math.trunc(words[index] ?? 0)));
}

function rowOf(word: (index: number) => bigint): ScoreboardRow {
  const count = (index: number): number => Number(word(index));
  const secondsOf = (index: number): number => count(index) / 1e9;
  return {
    pid: count(FIELDS.PID),
    generation: count(FIELDS.GENERATION),
    state: STATES[count(FIELDS.STATE)] ?? 'empty',
    forkedMonotonicNs: word(FIELDS.FORKED_MONOTONIC_NS),
    readyMonotonicNs: word(FIELDS.READY_MONOTONIC_NS),
    heartbeatMonotonicNs: word(FIELDS.HEARTBEAT_MONOTONIC_NS),
    requestsStarted: count(FIELDS.REQUESTS_STARTED),
    requestsFinished: count(FIELDS.REQUESTS_FINISHED),
    collectionsOutside: count(FIELDS.COLLECTIONS_OUTSIDE),
    collectionsOutsideSeconds: secondsOf(FIELDS.COLLECTIONS_OUTSIDE_NS),
    collectionsInside: count(FIELDS.COLLECTIONS_INSIDE),
    collectionsInsideSeconds: secondsOf(FIELDS.COLLECTIONS_INSIDE_NS),
    guardHeld: count(FIELDS.GUARD_HELD),
    guardReported: count(FIELDS.GUARD_REPORTED),
    objectsFreed: count(FIELDS.OBJECTS_FREED),
    responseErrors: count(FIELDS.RESPONSE_ERRORS),
    busySeconds: secondsOf(FIELDS.BUSY_NS),
    busySinceMonotonicNs: word(FIELDS.BUSY_SINCE_MONOTONIC_NS),
    durationSeconds: secondsOf(FIELDS.DURATION_NS),
    durationBuckets: Array.from({ length: DURATION_BOUNDS_SECONDS.length + 1 }, (_, bucket) =>
      count(FIELDS.DURATION_BUCKETS + bucket),
    ),
  };
}

/** A worker's row. It exists from the fork on, as long as anybody reads it: it outlives the worker and the keeper. */
export class WorkerRow {
  readonly #pid: number;
  readonly #descriptor: number;

  private constructor(pid: number, descriptor: number) {
    this.#pid = pid;
    this.#descriptor = descriptor;
  }

  /**
   * Opens the file that the keeper holds as this descriptor (proc(5), /proc/PID/fd). The keeper has checked that it is
   * in memory, sealed and of the right size, so that no read blocks or fails. Throws the system's error.
   */
  static open(pid: number, keeperPid: number, keepersDescriptor: number): WorkerRow {
    const path = `/proc/${keeperPid}/fd/${keepersDescriptor}`;
    return new WorkerRow(pid, openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
  }

  /** `null` until the worker has claimed the row; a row with another pid is ignored. */
  read(): ScoreboardRow | null {
    const bytes = Buffer.allocUnsafe(ROW_BYTES);
    if (readSync(this.#descriptor, bytes, 0, ROW_BYTES, 0) !== ROW_BYTES) return null;
    const row = parseRow(bytes);
    return row.pid === this.#pid ? row : null;
  }

  /** faulthandler's output; empty if there is none. */
  stack(): string {
    const bytes = Buffer.alloc(SIZE_BYTES - STACK_OFFSET);
    const read = readSync(this.#descriptor, bytes, 0, bytes.length, STACK_OFFSET);
    const end = bytes.indexOf(0);
    return bytes.toString('utf8', 0, end === -1 ? read : end);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** The rows of a herd's workers, by pid. */
export class Scoreboard {
  readonly #rows = new Map<number, WorkerRow>();

  /** Returns why a worker's row can't be read; `null` when it can. */
  open(pid: number, keeperPid: number, keepersDescriptor: number): string | null {
    this.close(pid);
    try {
      this.#rows.set(pid, WorkerRow.open(pid, keeperPid, keepersDescriptor));
      return null;
    } catch (error) {
      return String(error);
    }
  }

  row(pid: number): ScoreboardRow | null {
    return this.#rows.get(pid)?.read() ?? null;
  }

  stack(pid: number): string {
    return this.#rows.get(pid)?.stack() ?? '';
  }

  close(pid: number): void {
    this.#rows.get(pid)?.close();
    this.#rows.delete(pid);
  }

  closeAll(): void {
    for (const pid of this.#rows.keys()) this.close(pid);
  }
}
