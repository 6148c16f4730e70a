/**
 * All memory of a process that can hold objects, as one array that is read in parts when they are needed.
 *
 * Memory is divided into pieces of 1 MiB, each with a number. A place in it is a **unit**, 8 bytes, the number of which
 * fits in 32 bits for 32 GiB; so lists of objects are typed arrays. Unit 0 is no place. Pieces without pages are left out,
 * and neighboring pieces have neighboring numbers. A limited part of the memory is held at a time, the recently used one.
 */
import type { MemoryReader } from '../../base/memory-reader.ts';
import type { Subject } from '../pages/subject.ts';
import type { CensusBudget } from './census-budget.ts';
import { PIECE_BYTES, type ReadableMemory } from './readable-memory.ts';

const PIECE_BITS = 17;
export const PIECE_UNITS = 1 << PIECE_BITS;
/** Memory is read in frames, parts of a piece: large enough for a system call, small enough not to be read in vain. */
const FRAME_BITS = 13;
export const FRAME_BYTES = 8 << FRAME_BITS;
const FRAME_UNITS = 1 << FRAME_BITS;
const FRAME_WORDS = FRAME_UNITS * 2;
/** Pieces with the same upper half of their addresses. */
const FAMILY_PIECES = 4096;
const FAMILIES = 1 << 16;
const ABSENT = -1;
/** How often all memory is read, on average, before more of it is held. */
const READS_BEFORE_GROWTH = 8;
/** A read of the process's memory counts as so many steps. */
const STEPS_TO_READ = 64;
/** What a piece costs in tables, at most. */
const PIECE_TABLE_BYTES = 2048;

/** How much of the memory is held at first, and at most if it would be read too often. */
export interface HeldMemory {
  readonly atFirst: number;
  readonly most: number;
}

export class MemoryImage implements MemoryReader {
  readonly pieces: number;
  /** How often a frame was read; more often than there are frames if not all are held. */
  reads = 0;
  readonly #subject: Subject;
  readonly #pageBytes: number;
  readonly #budget: CensusBudget;
  /** Accesses that are paid for. */
  #left = 0;
  readonly #starts: Float64Array;
  readonly #isThere: Uint8Array;
  /** How many frames have pages. */
  readonly #frames: number;
  /** By the upper half of an address: the number of its family. */
  readonly #families = new Uint16Array(FAMILIES);
  /** By family and megabyte: the number of the piece. */
  readonly #numbers: Uint32Array;
  #words: Uint32Array;
  /** By frame: where it is held. */
  readonly #slots: Int32Array;
  /** By slot: its frame, and 1 if it was used since the hand has passed (the clock algorithm). */
  #held: Int32Array;
  #isRecent: Uint8Array;
  #hand = 0;
  readonly #mostSlots: number;
  /** After this many reads, twice as much is held. */
  #readsBeforeGrowth: number;

  constructor(
    subject: Subject,
    { starts, isThere, bytes }: ReadableMemory,
    pageBytes: number,
    budget: CensusBudget,
    held: HeldMemory,
  ) {
    this.#subject = subject;
    this.#pageBytes = pageBytes;
    this.#budget = budget;
    this.pieces = starts.length;
    budget.hold(this.pieces * PIECE_TABLE_BYTES);
    this.#starts = starts;
    this.#isThere = isThere;
    this.#numbers = this.#numbered();
    this.#frames = Math.min(this.pieces * (PIECE_BYTES / FRAME_BYTES), Math.ceil(bytes / pageBytes)) + 1;
    const slotsFor = (heldBytes: number): number =>
      Math.max(1, Math.min(this.#frames, Math.floor(heldBytes / FRAME_BYTES)));
    const slots = slotsFor(held.atFirst);
    this.#mostSlots = slotsFor(held.most);
    this.#words = new Uint32Array(slots * FRAME_WORDS);
    this.#slots = new Int32Array(this.pieces * (PIECE_UNITS / FRAME_UNITS)).fill(ABSENT);
    this.#held = new Int32Array(slots).fill(ABSENT);
    this.#isRecent = new Uint8Array(slots);
    this.#readsBeforeGrowth = this.#frames * READS_BEFORE_GROWTH;
  }

  get units(): number {
    return this.pieces * PIECE_UNITS;
  }

  /** The lower half of a unit. */
  low(unit: number): number {
    const place = this.#placeOf(unit);
    return this.#words[place] ?? 0;
  }

  /** The upper half of a unit. */
  high(unit: number): number {
    const place = this.#placeOf(unit);
    return this.#words[place + 1] ?? 0;
  }

  /** The memory of a unit's frame from the unit on. Valid until other memory is asked for. */
  wordsFrom(unit: number): Uint32Array {
    const place = this.#placeOf(unit);
    return this.#words.subarray(place, (Math.floor(place / FRAME_WORDS) + 1) * FRAME_WORDS);
  }

  /** The unit of an address that is given in two halves; 0 if it is not in the image. Ignores the lowest three bits. */
  unitAt(low: number, high: number): number {
    if (high >= FAMILIES) return 0;
    const family = this.#families[high] ?? 0;
    if (family === 0) return 0;
    const piece = this.#numbers[family * FAMILY_PIECES + (low >>> 20)] ?? 0;
    return piece === 0 ? 0 : piece * PIECE_UNITS + ((low & (PIECE_BYTES - 1)) >>> 3);
  }

  unitAtAddress(address: number): number {
    return this.unitAt(address >>> 0, Math.floor(address / 2 ** 32));
  }

  /** What the pointer in a unit points to; 0 if that is not in the image, or not aligned. */
  pointee(unit: number): number {
    const place = this.#placeOf(unit);
    const low = this.#words[place] ?? 0;
    return (low & 7) === 0 ? this.unitAt(low, this.#words[place + 1] ?? 0) : 0;
  }

  addressOf(unit: number): number {
    return (this.#starts[unit >>> PIECE_BITS] ?? 0) + (unit & (PIECE_UNITS - 1)) * 8;
  }

  /** The 64 bits of a unit, exact up to 2^53. */
  value(unit: number): number {
    const place = this.#placeOf(unit);
    return (this.#words[place + 1] ?? 0) * 2 ** 32 + (this.#words[place] ?? 0);
  }

  /** The same as a signed number. */
  signed(unit: number): number {
    const place = this.#placeOf(unit);
    return ((this.#words[place + 1] ?? 0) | 0) * 2 ** 32 + (this.#words[place] ?? 0);
  }

  /** Reads from the image, or from the process where the image has nothing. */
  read(address: number, into: Uint8Array): boolean {
    if (!Number.isSafeInteger(address) || address < 0) return false;
    const unit = this.unitAtAddress(address);
    const at = unit * 8 + (address % 8);
    const page = Math.floor(at / this.#pageBytes);
    if (unit === 0 || this.#isThere[page] === 0 || at + into.length > (page + 1) * this.#pageBytes) {
      this.#pay(STEPS_TO_READ);
      return this.#subject.memory.read(address, into);
    }
    const place = this.#placeOf(unit);
    into.set(new Uint8Array(this.#words.buffer, place * 4 + (address % 8), into.length));
    return true;
  }

  /** The index of a unit's first word. Asking for it may replace `#words`, so that it comes before any use of these. */
  #placeOf(unit: number): number {
    this.#left -= 1;
    if (this.#left < 0) this.#left = this.#budget.nextStretch();
    const frame = unit >>> FRAME_BITS;
    let slot = this.#slots[frame];
    // Units behind the last piece are like unit 0: nothing is there.
    if (slot === undefined) return this.#placeOf(0);
    if (slot < 0) slot = this.#load(frame);
    this.#isRecent[slot] = 1;
    return slot * FRAME_WORDS + (unit & (FRAME_UNITS - 1)) * 2;
  }

  #pay(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) this.#left = this.#budget.nextStretch();
  }

  #load(frame: number): number {
    if (this.reads >= this.#readsBeforeGrowth) this.#grow();
    const slot = this.#freeSlot();
    const target = new Uint8Array(this.#words.buffer, slot * FRAME_BYTES, FRAME_BYTES);
    if (this.#held[slot] !== ABSENT) target.fill(0);
    this.#readFrame(frame, target);
    this.reads += 1;
    this.#left -= STEPS_TO_READ;
    this.#held[slot] = frame;
    this.#slots[frame] = slot;
    return slot;
  }

  /** Reads the runs of pages in a frame. */
  #readFrame(frame: number, target: Uint8Array): void {
    const pageBytes = this.#pageBytes;
    const pages = FRAME_BYTES / pageBytes;
    const start = this.addressOf(frame * FRAME_UNITS);
    let first = -1;
    for (let page = 0; page <= pages; page += 1) {
      const isThere = page < pages && this.#isThere[frame * pages + page] === 1;
      if (isThere && first < 0) first = page;
      if (isThere || first < 0) continue;
      const into = target.subarray(first * pageBytes, page * pageBytes);
      // Zeros if the pages have disappeared meanwhile.
      if (!this.#subject.memory.read(start + first * pageBytes, into)) into.fill(0);
      first = -1;
    }
  }

  /** The walk goes to and fro in a heap without order: what is saved in memory would be lost in time. */
  #grow(): void {
    this.#readsBeforeGrowth += this.#frames * READS_BEFORE_GROWTH;
    const before = this.#held.length;
    const slots = Math.min(this.#mostSlots, before * 2);
    if (slots <= before) return;
    const [words, held, isRecent] = [this.#words, this.#held, this.#isRecent];
    this.#words = new Uint32Array(slots * FRAME_WORDS);
    this.#words.set(words);
    this.#held = new Int32Array(slots).fill(ABSENT);
    this.#held.set(held);
    this.#isRecent = new Uint8Array(slots);
    this.#isRecent.set(isRecent);
    this.#hand = before;
  }

  #freeSlot(): number {
    for (;;) {
      const slot = this.#hand;
      this.#hand = (slot + 1) % this.#held.length;
      const held = this.#held[slot] ?? ABSENT;
      if (held !== ABSENT && this.#isRecent[slot] === 1) {
        this.#isRecent[slot] = 0;
        continue;
      }
      if (held !== ABSENT) this.#slots[held] = ABSENT;
      return slot;
    }
  }

  #numbered(): Uint32Array {
    let families = 0;
    for (const start of this.#starts.subarray(1)) {
      const high = Math.floor(start / 2 ** 32);
      if (this.#families[high] === 0) this.#families[high] = families += 1;
    }
    this.#budget.hold((families + 1) * FAMILY_PIECES * Uint32Array.BYTES_PER_ELEMENT);
    const numbers = new Uint32Array((families + 1) * FAMILY_PIECES);
    for (const [number, start] of this.#starts.entries()) {
      if (number === 0) continue;
      const family = this.#families[Math.floor(start / 2 ** 32)] ?? 0;
      numbers[family * FAMILY_PIECES + ((start >>> 0) >>> 20)] = number;
    }
    return numbers;
  }
}
