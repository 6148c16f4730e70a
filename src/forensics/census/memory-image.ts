/**
 * All memory of a process that can hold objects, as one array that is read in parts when they are needed.
 *
 * Memory is divided into pieces of 1 MiB, each with a number. A place in it is a **unit**, 8 bytes, the number of which
 * fits in 32 bits for 32 GiB; so lists of objects are typed arrays. Unit 0 is no place. Pieces without pages are left out,
 * and neighboring pieces have neighboring numbers. A limited part of the memory is held at a time, the recently used one.
 */
import type { MemoryReader } from '../../base/memory-reader.ts';
import type { Mapping } from '../../procfs/maps.ts';
import type { Subject } from '../pages/subject.ts';

export const PIECE_BYTES = 1 << 20;
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
/** A unit's number has to fit in 32 bits. */
const MOST_PIECES = 2 ** 32 / PIECE_UNITS;
const ABSENT = -1;
/** How often all memory is read, on average, before more of it is held. */
const READS_BEFORE_GROWTH = 8;

/** Present pages in one frame. */
interface Run {
  readonly address: number;
  readonly bytes: number;
}

export class MemoryImage implements MemoryReader {
  readonly pieces: number;
  /** The bytes of all present pages. */
  readonly bytes: number;
  /** How often a frame was read; more often than there are frames if not all are held. */
  reads = 0;
  readonly #subject: Subject;
  readonly #pageBytes: number;
  readonly #starts: Float64Array;
  readonly #runs: ReadonlyMap<number, readonly Run[]>;
  /** By page of the image: 1 if it is present. A piece may have other pages too, such as a file's constants. */
  readonly #isThere: Uint8Array;
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
  /** After this many reads, twice as much is held. */
  #readsBeforeGrowth: number;

  /**
   * @param mostBytes how much memory is held at a time, unless that would be read too often
   * @throws RangeError if the process has more memory than can be numbered
   */
  constructor(subject: Subject, pageBytes: number, mostBytes: number) {
    this.#subject = subject;
    this.#pageBytes = pageBytes;
    const runs = presentRuns(subject, pageBytes);
    const starts = [...new Set(runs.map(({ address }) => Math.floor(address / PIECE_BYTES) * PIECE_BYTES))];
    this.pieces = starts.length + 1;
    if (this.pieces > MOST_PIECES) throw new RangeError('the process has too much memory');
    this.#starts = Float64Array.from([0, ...starts]);
    this.#numbers = this.#numbered();
    this.#runs = this.#byFrame(runs);
    this.bytes = runs.reduce((sum, run) => sum + run.bytes, 0);
    this.#isThere = this.#presence(runs);
    const slots = Math.max(1, Math.min(this.#runs.size, Math.floor(mostBytes / FRAME_BYTES)));
    this.#words = new Uint32Array(slots * FRAME_WORDS);
    this.#slots = new Int32Array(this.pieces * (PIECE_UNITS / FRAME_UNITS)).fill(ABSENT);
    this.#held = new Int32Array(slots).fill(ABSENT);
    this.#isRecent = new Uint8Array(slots);
    this.#readsBeforeGrowth = this.#runs.size * READS_BEFORE_GROWTH;
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
      return this.#subject.memory.read(address, into);
    }
    const place = this.#placeOf(unit);
    into.set(new Uint8Array(this.#words.buffer, place * 4 + (address % 8), into.length));
    return true;
  }

  /** The index of a unit's first word. Asking for it may replace `#words`, so that it comes before any use of these. */
  #placeOf(unit: number): number {
    const frame = unit >>> FRAME_BITS;
    let slot = this.#slots[frame] ?? ABSENT;
    if (slot < 0) slot = this.#load(frame);
    this.#isRecent[slot] = 1;
    return slot * FRAME_WORDS + (unit & (FRAME_UNITS - 1)) * 2;
  }

  #load(frame: number): number {
    if (this.reads >= this.#readsBeforeGrowth) this.#grow();
    const slot = this.#freeSlot();
    const target = new Uint8Array(this.#words.buffer, slot * FRAME_BYTES, FRAME_BYTES);
    if (this.#held[slot] !== ABSENT) target.fill(0);
    const start = this.addressOf(frame * FRAME_UNITS);
    for (const { address, bytes } of this.#runs.get(frame) ?? []) {
      const into = target.subarray(address - start, address - start + bytes);
      // Zeros if the pages have disappeared meanwhile.
      if (!this.#subject.memory.read(address, into)) into.fill(0);
    }
    this.reads += 1;
    this.#held[slot] = frame;
    this.#slots[frame] = slot;
    return slot;
  }

  /** The walk goes to and fro in a heap without order: what is saved in memory would be lost in time. */
  #grow(): void {
    this.#readsBeforeGrowth += this.#runs.size * READS_BEFORE_GROWTH;
    const before = this.#held.length;
    const slots = Math.min(this.#runs.size, before * 2);
    if (slots === before) return;
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

  /** The runs by the numbers of their frames. */
  #byFrame(runs: readonly Run[]): Map<number, Run[]> {
    const groups = new Map<number, Run[]>();
    for (const run of runs) {
      const frame = this.unitAtAddress(run.address) >>> FRAME_BITS;
      const group = groups.get(frame);
      if (group === undefined) groups.set(frame, [run]);
      else group.push(run);
    }
    return groups;
  }

  #presence(runs: readonly Run[]): Uint8Array {
    const isThere = new Uint8Array((this.pieces * PIECE_BYTES) / this.#pageBytes);
    for (const { address, bytes } of runs) {
      const first = (this.unitAtAddress(address) * 8) / this.#pageBytes;
      isThere.fill(1, first, first + bytes / this.#pageBytes);
    }
    return isThere;
  }

  #numbered(): Uint32Array {
    let families = 0;
    for (const start of this.#starts.subarray(1)) {
      const high = Math.floor(start / 2 ** 32);
      if (this.#families[high] === 0) this.#families[high] = families += 1;
    }
    const numbers = new Uint32Array((families + 1) * FAMILY_PIECES);
    for (const [number, start] of this.#starts.entries()) {
      if (number === 0) continue;
      const family = this.#families[Math.floor(start / 2 ** 32)] ?? 0;
      numbers[family * FAMILY_PIECES + ((start >>> 0) >>> 20)] = number;
    }
    return numbers;
  }
}

/** Memory that can hold objects: private and writable. Elsewhere nothing can be counted or linked. */
function canHoldObjects({ private: isPrivate, readable, writable, path }: Mapping): boolean {
  return isPrivate && readable && writable && !path.startsWith('[stack');
}

/** The runs of present pages, none of which crosses the border of a frame. */
function presentRuns(subject: Subject, pageBytes: number): Run[] {
  const runs: Run[] = [];
  for (const { start, end } of subject.mappings.filter(canHoldObjects)) {
    const pages = subject.entries(start, end);
    let first = -1;
    for (let page = 0; page <= pages.count; page += 1) {
      const address = start + page * pageBytes;
      const isThere = page < pages.count && pages.isPresent(page);
      if (first >= 0 && (!isThere || address % FRAME_BYTES === 0)) {
        const from = start + first * pageBytes;
        runs.push({ address: from, bytes: address - from });
        first = -1;
      }
      if (isThere && first < 0) first = page;
    }
  }
  return runs;
}
