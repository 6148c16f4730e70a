/**
 * The scoreboard: counters that workers write and the supervisor reads without a message.
 *
 * The layout is that of `agent/cowherd_agent/scoreboard.py`; a test compares the two. Row 0 is
 * the header, row `1 + slot` a worker's; every field is an unsigned 64-bit little-endian word.
 */
import { closeSync, openSync, readSync, writeSync, constants } from 'node:fs';

export const MAGIC = 0x3144_4952_4548_4357n;
export const VERSION = 1n;
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
} as const;

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
}

/** Parses one row. `bytes` is `ROW_BYTES` long. */
export function parseRow(bytes: Buffer): ScoreboardRow {
  const word = (index: number): bigint => bytes.readBigUInt64LE(index * 8);
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
  };
}

/** The supervisor's side of the file: makes it, then only reads. */
export class Scoreboard {
  readonly path: string;
  readonly slots: number;
  readonly #descriptor: number;

  private constructor(path: string, slots: number, descriptor: number) {
    this.path = path;
    this.slots = slots;
    this.#descriptor = descriptor;
  }

  /**
   * Makes the file, open to its owner only. Every page of it is written, for a worker that writes to a hole of a file on
   * a full disk dies of SIGBUS. Throws the system's error when it can't.
   */
  static create(path: string, slots: number): Scoreboard {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
    const descriptor = openSync(path, flags, 0o600);
    const file = Buffer.alloc((1 + slots) * ROW_BYTES);
    file.writeBigUInt64LE(MAGIC, 0);
    file.writeBigUInt64LE(VERSION, 8);
    file.writeBigUInt64LE(BigInt(slots), 16);
    for (let written = 0; written < file.length;) written += writeSync(descriptor, file, written);
    return new Scoreboard(path, slots, descriptor);
  }

  /** Opens the file of a herd that runs. Throws when it is not there, or none of this version. */
  static open(path: string): Scoreboard {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    const header = Buffer.alloc(24);
    readSync(descriptor, header, 0, header.length, 0);
    if (header.readBigUInt64LE(0) !== MAGIC || header.readBigUInt64LE(8) !== VERSION) {
      closeSync(descriptor);
      throw new Error(`${path} is not a scoreboard of version ${VERSION}`);
    }
    return new Scoreboard(path, Number(header.readBigUInt64LE(16)), descriptor);
  }

  /** The row of a slot; `null` while the slot has never been used, or when it is out of range. */
  row(slot: number): ScoreboardRow | null {
    if (slot < 0 || slot >= this.slots) return null;
    const bytes = Buffer.allocUnsafe(ROW_BYTES);
    const read = readSync(this.#descriptor, bytes, 0, ROW_BYTES, (1 + slot) * ROW_BYTES);
    if (read !== ROW_BYTES) return null;
    const row = parseRow(bytes);
    return row.pid === 0 ? null : row;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
