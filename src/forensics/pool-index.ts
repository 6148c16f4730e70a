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
  readonly #pools: ReadonlySet<number>;

  constructor(poolBytes: number | null, pools: ReadonlySet<number>) {
    this.poolBytes = poolBytes;
    this.#pools = pools;
  }

  get count(): number {
    return this.#pools.size;
  }

  /** Whether an address is in a pool. Types never are: they are larger than the largest block. */
  has(address: number): boolean {
    return this.poolBytes !== null && this.#pools.has(Math.floor(address / this.poolBytes));
  }
}

/**
 * Looks at every place where a pool could begin. Only pages that are there are read: reading others would make the
 * kernel map a page of zeros into the process.
 */
export function findPools(memory: MemoryReader, regions: readonly RegionPages[], pageBytes: number): PoolIndex {
  let best = new PoolIndex(null, new Set());
  const header = new Uint8Array(POOL_HEADER_BYTES);
  const words = new Uint32Array(header.buffer);
  for (const poolBytes of POOL_SIZES) {
    const found = new Set<number>();
    for (const { region, pages } of regions) {
      if (region.ofFile || region.path.startsWith('[stack')) continue;
      const first = Math.ceil(region.start / poolBytes) * poolBytes;
      for (let at = first; at + poolBytes <= region.end; at += poolBytes) {
        if (!pages.isAnonymous((at - region.start) / pageBytes) || !memory.read(at, header)) continue;
        if (parsePoolHeader(words, 0, poolBytes) !== null) found.add(at / poolBytes);
      }
    }
    // By the memory that they cover: a size that is wrong fits by accident only.
    if (found.size * poolBytes > best.count * (best.poolBytes ?? 0)) best = new PoolIndex(poolBytes, found);
  }
  return best;
}
