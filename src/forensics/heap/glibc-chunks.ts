/**
 * Chunks of the C library's heap (`[heap]`): which memory glibc's malloc has handed out and which is free; pure.
 *
 * Source: glibc, malloc/malloc.c (struct malloc_chunk and the comments above it). Chunks follow one another without a
 * gap. A chunk's size is at offset 8; its lowest bits are flags: 1 the previous chunk is in use, 2 mapped by itself,
 * 4 of another arena. The memory that malloc returns starts at offset 16 and extends 8 bytes into the next chunk.
 * Chunks in a thread's cache or a fast bin count as in use here, since nothing in them says otherwise.
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

/** Collects the chunks of a heap that is read in pieces, from its first byte to its last. */
export class ChunkWalk {
  readonly #starts: number[] = [];
  /** 1 if the chunk is in use. */
  readonly #inUse: number[] = [];
  readonly #end: number;
  #next: number;
  #isBroken = false;

  constructor(start: number, end: number) {
    this.#next = start;
    this.#end = end;
  }

  /** Takes the next piece, whose first word is at `address`. Pieces come in the order of addresses, without gaps. */
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

  /** Null if the pieces are not an unbroken chain of chunks from the heap's first byte to its last. */
  finish(): ChunkTable | null {
    if (this.#isBroken || this.#next !== this.#end || this.#starts.length === 0) return null;
    // The last chunk, the top, is the heap's unused rest.
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

  /** The chunk whose header or memory an address lies in. */
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

/** Whether a word of a chunk is malloc's own: the size, or any word of a free chunk. */
export function isBookkeeping(chunk: Chunk, address: number): boolean {
  return !chunk.inUse || address - chunk.address === 8;
}

/** The start of the memory that malloc returned. */
export function memoryOf(chunk: Chunk): number {
  return chunk.address + HEADER_BYTES;
}
