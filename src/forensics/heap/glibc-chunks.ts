/**
 * Chunks of the C library's heap (`[heap]`): what glibc's malloc has given out and what is free; pure.
 *
 * Source: glibc, malloc/malloc.c (struct malloc_chunk and the comments above it). A chunk is followed by the next one
 * without a gap. At 8 it has its size, whose lowest bits say: 1 the chunk before is in use, 2 mapped by itself, 4 of
 * another arena. What malloc returns starts at 16 and reaches 8 bytes into the next chunk. Chunks in a thread's cache
 * or a fast bin count as in use here: nothing in them says otherwise.
 */

const HEADER_BYTES = 16;
const SMALLEST_BYTES = 32;
const PREVIOUS_IN_USE = 1;
const FLAGS = 7;

export interface Chunk {
  readonly address: number;
  readonly bytes: number;
  readonly inUse: boolean;
}

/** Collects the chunks of a heap that is read piece by piece, from its first byte to its last. */
export class ChunkWalk {
  readonly #starts: number[] = [];
  /** 1 for yes. */
  readonly #inUse: number[] = [];
  readonly #end: number;
  #next: number;
  #isBroken = false;

  constructor(start: number, end: number) {
    this.#next = start;
    this.#end = end;
  }

  /** The next piece; `address` is that of its first word, and pieces follow one another. */
  feed(address: number, words: Uint32Array): void {
    const end = address + words.length * 4;
    while (!this.#isBroken && this.#next + HEADER_BYTES <= end && this.#next < this.#end) {
      if (this.#next < address) {
        this.#isBroken = true;
        return;
      }
      const index = (this.#next - address) / 4 + 2;
      const raw = (words[index + 1] ?? 0) * 2 ** 32 + (words[index] ?? 0);
      const flags = (words[index] ?? 0) & FLAGS;
      const size = raw - flags;
      if (size < SMALLEST_BYTES || size % 16 !== 0 || this.#next + size > this.#end) {
        this.#isBroken = true;
        return;
      }
      if (this.#inUse.length > 0) this.#inUse[this.#inUse.length - 1] = flags & PREVIOUS_IN_USE;
      this.#starts.push(this.#next);
      this.#inUse.push(1);
      this.#next += size;
    }
  }

  /** Null when what was read is no chain of chunks from the first byte to the last. */
  finish(): ChunkTable | null {
    if (this.#isBroken || this.#next !== this.#end || this.#starts.length === 0) return null;
    // The last one, the top, is what the heap has left.
    this.#inUse[this.#inUse.length - 1] = 0;
    return new ChunkTable(new Float64Array(this.#starts), new Uint8Array(this.#inUse), this.#end);
  }
}

export class ChunkTable {
  readonly #starts: Float64Array;
  readonly #inUse: Uint8Array;
  readonly #end: number;

  constructor(starts: Float64Array, inUse: Uint8Array, end: number) {
    this.#starts = starts;
    this.#inUse = inUse;
    this.#end = end;
  }

  get count(): number {
    return this.#starts.length;
  }

  /** The chunk whose header or memory an address is in. */
  at(address: number): Chunk | null {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= address) low = middle;
      else high = middle - 1;
    }
    const start = this.#starts[low];
    if (start === undefined || address < start || address >= this.#end) return null;
    return { address: start, bytes: (this.#starts[low + 1] ?? this.#end) - start, inUse: this.#inUse[low] === 1 };
  }
}

/** Whether a word of a chunk is malloc's own: its size, or anything in one that is free. */
export function isBookkeeping(chunk: Chunk, address: number): boolean {
  return !chunk.inUse || address - chunk.address === 8;
}

/** Where the memory that malloc returned starts. */
export function memoryOf(chunk: Chunk): number {
  return chunk.address + HEADER_BYTES;
}
