/**
 * Pools of CPython's small-object allocator, recognized by their headers.
 *
 * Source: Include/internal/pycore_obmalloc.h and Objects/obmalloc.c (3.9 to 3.15; before 3.12 only the latter). An
 * arena is divided into pools, each for one block size. A pool begins with its header:
 *
 *      0  number of allocated blocks (32 bits)     32  index of the arena (32 bits)
 *      8  first free block                         36  size class: blocks have (class + 1) × 16 bytes
 *     16  next pool of the class                   40  offset of the first block that was never handed out
 *     24  previous pool                            44  the largest offset at which a block can start
 *
 * Pools have 4 KiB in 3.9 and 16 KiB from 3.10 on (POOL_BITS). Only these headers are needed, so the interpreter may be
 * stripped of symbols. The field at 44 (`maxnextoffset`) follows from the size class and alone tells a pool from other
 * memory, except in one case in millions. The counts and the free list have to fit too.
 */

export const POOL_HEADER_BYTES = 48;
export const LARGEST_BLOCK_BYTES = 512;
const ALIGNMENT_BYTES = 16;
const SIZE_CLASSES = LARGEST_BLOCK_BYTES / ALIGNMENT_BYTES;

/** `POOL_SIZE`: 16 KiB, or 4 KiB in 3.9, which has no radix tree of arenas. */
export const POOL_SIZES: readonly number[] = [16_384, 4096];

export interface Pool {
  /** The address of the pool's header. */
  readonly address: number;
  readonly blockBytes: number;
  /** How many blocks fit. */
  readonly capacity: number;
  readonly allocated: number;
  /** One byte for each block: 1 if it is free or was never handed out. */
  readonly free: Uint8Array;
}

interface PoolHeader {
  readonly blockBytes: number;
  readonly capacity: number;
  readonly allocated: number;
  /** The offset of the first block that was never handed out. */
  readonly virgin: number;
}

/**
 * @param words memory as 32-bit words of a little-endian machine
 * @param first the index of the header's first word among them
 * @returns null if no pool begins there
 */
export function parsePoolHeader(words: Uint32Array, first: number, poolBytes: number): PoolHeader | null {
  const word = (offset: number): number => words[first + offset / 4] ?? 0;
  const sizeClass = word(36);
  if (sizeClass >= SIZE_CLASSES) return null;
  const blockBytes = (sizeClass + 1) * ALIGNMENT_BYTES;
  if (word(44) !== poolBytes - blockBytes) return null;
  const virgin = word(40);
  if (virgin < POOL_HEADER_BYTES + blockBytes || (virgin - POOL_HEADER_BYTES) % blockBytes !== 0) return null;
  const capacity = Math.floor((poolBytes - POOL_HEADER_BYTES) / blockBytes);
  const allocated = word(0);
  if (allocated > capacity || virgin > POOL_HEADER_BYTES + capacity * blockBytes) return null;
  return { blockBytes, capacity, allocated, virgin };
}

/**
 * @param words the memory of the pool, as 32-bit words of a little-endian machine
 * @param first the index of the pool's first word among them
 * @param address the pool's address in the process
 */
export function parsePool(words: Uint32Array, first: number, poolBytes: number, address: number): Pool | null {
  const header = parsePoolHeader(words, first, poolBytes);
  if (header === null) return null;
  const { blockBytes, capacity, allocated, virgin } = header;

  const free = new Uint8Array(capacity);
  const everGiven = (virgin - POOL_HEADER_BYTES) / blockBytes;
  free.fill(1, everGiven);
  let freeBlocks = capacity - everGiven;
  // Each free block begins with the address of the next one.
  let low = words[first + 2] ?? 0;
  let high = words[first + 3] ?? 0;
  while (low !== 0 || high !== 0) {
    const offset = high * 2 ** 32 + low - address - POOL_HEADER_BYTES;
    const block = offset / blockBytes;
    if (!Number.isInteger(block) || block < 0 || block >= everGiven || free[block] === 1) return null;
    free[block] = 1;
    freeBlocks += 1;
    const link = first + (POOL_HEADER_BYTES + offset) / 4;
    low = words[link] ?? 0;
    high = words[link + 1] ?? 0;
  }
  // A running process may be read during an allocation, when one block is in neither the count nor the list.
  if (Math.abs(capacity - freeBlocks - allocated) > 1) return null;
  return { address, blockBytes, capacity, allocated, free };
}
