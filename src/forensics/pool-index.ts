/** Which pages of a process belong to pools of pymalloc, found by their headers. */
import type { MemoryReader } from '../base/memory-reader.ts';
import { parsePoolHeader, POOL_HEADER_BYTES, POOL_SIZES } from '../cpython/pymalloc.ts';
import type { PageEntries } from '../procfs/pagemap.ts';
import type { Region } from './page-states.ts';

export interface RegionPages {
  readonly region: Region;
  readonly pages: PageEntries;
}

export class PoolIndex {
  /** The size of this interpreter's pools; null where there are none. */
  readonly poolBytes: number | null;
  readonly count: number;
  /** Stretches of pools without a gap: where each begins and ends. It is asked for every word that may be an address. */
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;

  /** `pools`: their addresses, in rising order. */
  constructor(poolBytes: number | null, pools: readonly number[]) {
    this.poolBytes = poolBytes;
    this.count = pools.length;
    const starts: number[] = [];
    const ends: number[] = [];
    for (const pool of pools) {
      if (ends.at(-1) === pool) ends[ends.length - 1] = pool + (poolBytes ?? 0);
      else {
        starts.push(pool);
        ends.push(pool + (poolBytes ?? 0));
      }
    }
    this.#starts = Float64Array.from(starts);
    this.#ends = Float64Array.from(ends);
  }

  /** Whether an address is in a pool. Types never are: they are larger than the largest block. */
  has(address: number): boolean {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (address < (this.#starts[middle] ?? 0)) high = middle - 1;
      else if (address >= (this.#ends[middle] ?? 0)) low = middle + 1;
      else return true;
    }
    return false;
  }
}

/**
 * Looks at every place where a pool could begin. Only pages that are there are read: reading others would make the
 * kernel map a page of zeros into the process.
 */
export function findPools(memory: MemoryReader, regions: readonly RegionPages[], pageBytes: number): PoolIndex {
  let best = new PoolIndex(null, []);
  const header = new Uint8Array(POOL_HEADER_BYTES);
  const words = new Uint32Array(header.buffer);
  for (const poolBytes of POOL_SIZES) {
    const found: number[] = [];
    for (const { region, pages } of regions) {
      if (region.ofFile || region.path.startsWith('[stack')) continue;
      const first = Math.ceil(region.start / poolBytes) * poolBytes;
      for (let at = first; at + poolBytes <= region.end; at += poolBytes) {
        if (!pages.isAnonymous((at - region.start) / pageBytes) || !memory.read(at, header)) continue;
        if (parsePoolHeader(words, 0, poolBytes) !== null) found.push(at);
      }
    }
    // By the memory that they cover: a size that is wrong fits by accident only.
    if (found.length * poolBytes > best.count * (best.poolBytes ?? 0)) best = new PoolIndex(poolBytes, found);
  }
  return best;
}
