/** Finds out which pages of a process belong to pools of pymalloc, from the pools' headers. */
import type { MemoryReader } from '../../base/memory-reader.ts';
import { parsePoolHeader, POOL_HEADER_BYTES, POOL_SIZES } from '../../cpython/pymalloc.ts';
import type { PageEntries } from '../../procfs/pagemap.ts';
import type { Region } from '../pages/page-states.ts';

export interface RegionPages {
  readonly region: Region;
  readonly pages: PageEntries;
}

/** The places in a region where a pool could begin. */
interface Places {
  readonly start: number;
  readonly end: number;
  /** The page entries from `start` on. */
  readonly pages: PageEntries;
  /** By place; `UNKNOWN` until the place is first looked at. */
  readonly answers: Uint8Array;
}

const UNKNOWN = 0;
const POOL = 1;
const OTHER = 2;

/** This many headers of one size are not a coincidence. */
const ENOUGH_POOLS = 16;
/** Places are first tried at this distance, since pools lie together and so does other memory. */
const STRIDE = 64;

/**
 * The pools of a process. Each place is read when it is first asked for, so that a look at a few pages reads few.
 *
 * Only pages that are present are read: reading others would make the kernel map a page of zeros into the process.
 */
export class PoolIndex {
  /** The size of this interpreter's pools; null if there are none. */
  readonly poolBytes: number | null;
  readonly #memory: MemoryReader;
  readonly #pageBytes: number;
  readonly #places: readonly Places[];
  readonly #header = new Uint8Array(POOL_HEADER_BYTES);
  readonly #words = new Uint32Array(this.#header.buffer);
  #latest: Places | null = null;

  /** @param regions in the order of their addresses */
  constructor(memory: MemoryReader, regions: readonly RegionPages[], poolBytes: number | null, pageBytes: number) {
    this.poolBytes = poolBytes;
    this.#memory = memory;
    this.#pageBytes = pageBytes;
    this.#places = poolBytes === null ? [] : regions.flatMap((each) => placesIn(each, poolBytes, pageBytes));
  }

  /** The index of a process without pools. */
  static none(): PoolIndex {
    return new PoolIndex({ read: () => false }, [], null, 1);
  }

  /** Whether an address is in a pool. Types never are, since they are larger than the largest block. */
  has(address: number): boolean {
    const { poolBytes } = this;
    if (poolBytes === null) return false;
    const places = this.#placesAt(address);
    return places !== null && this.#isPool(places, Math.floor((address - places.start) / poolBytes), poolBytes);
  }

  /** Counts the pools at every `stride`th place, up to `enough`. */
  count(stride: number, enough: number): number {
    const { poolBytes } = this;
    let count = 0;
    let skip = 0;
    for (const places of this.#places) {
      let place = skip;
      for (; place < places.answers.length && count < enough; place += stride) {
        if (poolBytes !== null && this.#isPool(places, place, poolBytes)) count += 1;
      }
      skip = place - places.answers.length;
    }
    return count;
  }

  #placesAt(address: number): Places | null {
    // Caches the last answer: every word that may be an address is looked up, and neighbors point to neighbors.
    const latest = this.#latest;
    if (latest !== null && latest.start <= address && address < latest.end) return latest;
    let low = 0;
    let high = this.#places.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const places = this.#places[middle];
      if (places === undefined || address < places.start) high = middle - 1;
      else if (address >= places.end) low = middle + 1;
      else {
        this.#latest = places;
        return places;
      }
    }
    return null;
  }

  #isPool(places: Places, place: number, poolBytes: number): boolean {
    const known = places.answers[place];
    if (known !== UNKNOWN) return known === POOL;
    const isPool =
      places.pages.isAnonymous((place * poolBytes) / this.#pageBytes) &&
      this.#memory.read(places.start + place * poolBytes, this.#header) &&
      parsePoolHeader(this.#words, 0, poolBytes) !== null;
    places.answers[place] = isPool ? POOL : OTHER;
    return isPool;
  }
}

/** The places for whole pools, which are aligned to their size. */
function placesIn({ region, pages }: RegionPages, poolBytes: number, pageBytes: number): Places[] {
  if (region.ofFile || region.path.startsWith('[stack')) return [];
  const start = Math.ceil(region.start / poolBytes) * poolBytes;
  const count = Math.floor((region.end - start) / poolBytes);
  if (count <= 0) return [];
  const end = start + count * poolBytes;
  const own = pages.slice((start - region.start) / pageBytes, (end - region.start) / pageBytes);
  return [{ start, end, pages: own, answers: new Uint8Array(count) }];
}

/** Finds this process's pool size. A header contains it, so a header that fits another size is a coincidence. */
export function findPools(memory: MemoryReader, regions: readonly RegionPages[], pageBytes: number): PoolIndex {
  const candidates = POOL_SIZES.map((poolBytes) => new PoolIndex(memory, regions, poolBytes, pageBytes));
  for (const stride of [STRIDE, 1]) {
    const enough = candidates.find((candidate) => candidate.count(stride, ENOUGH_POOLS) >= ENOUGH_POOLS);
    if (enough !== undefined) return enough;
  }
  // In a small heap the size wins whose pools cover most memory. All headers have been read by now.
  const covered = (index: PoolIndex): number => index.count(1, Infinity) * (index.poolBytes ?? 0);
  return candidates.reduce((best, each) => (covered(each) > covered(best) ? each : best), PoolIndex.none());
}
