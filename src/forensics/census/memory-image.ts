/**
 * All memory of a process that can hold objects, in one array.
 *
 * Memory is kept in pieces of 1 MiB, each with a number. A place in it is a **unit**, 8 bytes, the number of which fits
 * in 32 bits for 32 GiB; so lists of objects are typed arrays. Unit 0 is no place. Pieces without pages are left out.
 */
import type { MemoryReader } from '../../base/memory-reader.ts';
import type { Mapping } from '../../procfs/maps.ts';
import type { Subject } from '../pages/subject.ts';

export const PIECE_BYTES = 1 << 20;
export const PIECE_UNITS = PIECE_BYTES / 8;
/** Pieces with the same upper half of their addresses. */
const FAMILY_PIECES = 4096;
const FAMILIES = 1 << 16;
/** A unit's number has to fit in 32 bits. */
const MOST_PIECES = 2 ** 32 / PIECE_UNITS;

interface Run {
  readonly address: number;
  readonly bytes: number;
}

export class MemoryImage implements MemoryReader {
  /** Two for each unit, the lower half first. */
  readonly words: Uint32Array;
  readonly pieces: number;
  /** Bytes that were read. */
  readonly bytes: number;
  readonly #subject: Subject;
  readonly #buffer: ArrayBuffer;
  readonly #starts: Float64Array;
  readonly #pageBytes: number;
  /** By page of the image: 1 if it was read. A piece may have other pages too, such as a file's constants. */
  readonly #isRead: Uint8Array;
  /** By the upper half of an address: the number of its family. */
  readonly #families = new Uint16Array(FAMILIES);
  /** By family and megabyte: the number of the piece. */
  readonly #numbers: Uint32Array;

  /** @throws RangeError if the process has more memory than can be numbered */
  constructor(subject: Subject, pageBytes: number) {
    this.#subject = subject;
    this.#pageBytes = pageBytes;
    const runs = presentRuns(subject, pageBytes);
    const starts = [0, ...pieceStarts(runs)];
    if (starts.length > MOST_PIECES) throw new RangeError('the process has too much memory');
    this.pieces = starts.length;
    this.#starts = Float64Array.from(starts);
    this.#numbers = this.#numbered();
    this.#buffer = new ArrayBuffer(starts.length * PIECE_BYTES);
    this.words = new Uint32Array(this.#buffer);
    this.#isRead = new Uint8Array(this.#buffer.byteLength / pageBytes);
    let bytes = 0;
    for (const { address, bytes: length } of runs) {
      const at = this.unitAtAddress(address) * 8;
      if (!subject.memory.read(address, new Uint8Array(this.#buffer, at, length))) continue;
      bytes += length;
      this.#isRead.fill(1, at / pageBytes, (at + length) / pageBytes);
    }
    this.bytes = bytes;
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
    const low = this.words[unit * 2] ?? 0;
    return (low & 7) === 0 ? this.unitAt(low, this.words[unit * 2 + 1] ?? 0) : 0;
  }

  addressOf(unit: number): number {
    const piece = Math.floor(unit / PIECE_UNITS);
    return (this.#starts[piece] ?? 0) + (unit % PIECE_UNITS) * 8;
  }

  /** The 64 bits of a unit, exact up to 2^53. */
  value(unit: number): number {
    return (this.words[unit * 2 + 1] ?? 0) * 2 ** 32 + (this.words[unit * 2] ?? 0);
  }

  /** Reads from the image, or from the process where the image has nothing. */
  read(address: number, into: Uint8Array): boolean {
    if (!Number.isSafeInteger(address) || address < 0) return false;
    const unit = this.unitAtAddress(address);
    const at = unit * 8 + (address % 8);
    const pageEnd = (Math.floor(at / this.#pageBytes) + 1) * this.#pageBytes;
    if (unit === 0 || this.#isRead[Math.floor(at / this.#pageBytes)] === 0 || at + into.length > pageEnd) {
      return this.#subject.memory.read(address, into);
    }
    into.set(new Uint8Array(this.#buffer, at, into.length));
    return true;
  }

  #numbered(): Uint32Array {
    let families = 0;
    for (const start of this.#starts) {
      const high = Math.floor(start / 2 ** 32);
      if (start !== 0 && this.#families[high] === 0) this.#families[high] = families += 1;
    }
    const numbers = new Uint32Array((families + 1) * FAMILY_PIECES);
    for (const [number, start] of this.#starts.entries()) {
      if (start === 0) continue;
      const family = this.#families[Math.floor(start / 2 ** 32)] ?? 0;
      numbers[family * FAMILY_PIECES + ((start >>> 0) >>> 20)] = number;
    }
    return numbers;
  }
}

/** Memory that can hold objects: private and writable. Others have neither reference counts nor the collector's lists. */
function canHoldObjects({ private: isPrivate, readable, writable, path }: Mapping): boolean {
  return isPrivate && readable && writable && !path.startsWith('[stack');
}

/** The runs of present pages, none of which crosses the border of a piece. */
function presentRuns(subject: Subject, pageBytes: number): Run[] {
  const runs: Run[] = [];
  for (const { start, end } of subject.mappings.filter(canHoldObjects)) {
    const pages = subject.entries(start, end);
    let first = -1;
    for (let page = 0; page <= pages.count; page += 1) {
      const address = start + page * pageBytes;
      const isThere = page < pages.count && pages.isPresent(page);
      if (first >= 0 && (!isThere || address % PIECE_BYTES === 0)) {
        const from = start + first * pageBytes;
        runs.push({ address: from, bytes: address - from });
        first = -1;
      }
      if (isThere && first < 0) first = page;
    }
  }
  return runs;
}

function* pieceStarts(runs: readonly Run[]): Generator<number> {
  let latest = -1;
  for (const { address } of runs) {
    const start = Math.floor(address / PIECE_BYTES) * PIECE_BYTES;
    if (start !== latest) yield start;
    latest = start;
  }
}
