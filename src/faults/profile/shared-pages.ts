/**
 * The pages that a process shared at the start of a recording, for an event that reports all faults: only a fault on
 * one of these pages is a copy. Each page counts once, since a copied page is no longer shared.
 *
 * They are read from /proc/PID/pagemap: present, not of a file, and mapped by others too. For the process that workers
 * will be forked from, pages that only it maps count too, since its workers will share them.
 */
import { kernelUnits } from '../../procfs/auxv.ts';
import { type Mapping, readMaps } from '../../procfs/maps.ts';
import { Pagemap } from '../../procfs/pagemap.ts';

/** A part of one mapping, with one bit for each page. */
interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly bits: Uint8Array;
}

/** How many page entries are read at a time. */
const PAGES_AT_ONCE = 64 * 1024;

export class SharedPages {
  readonly #pageBytes: number;
  readonly #stretches: readonly Stretch[];

  constructor(pageBytes: number, stretches: readonly Stretch[]) {
    this.#pageBytes = pageBytes;
    this.#stretches = stretches;
  }

  /** A copy for a child forked while these pages were shared. */
  copy(): SharedPages {
    return new SharedPages(
      this.#pageBytes,
      this.#stretches.map((stretch) => ({ ...stretch, bits: stretch.bits.slice() })),
    );
  }

  /** Whether a fault at this address copies a shared page. The page then no longer counts as shared. */
  take(address: number): boolean {
    const stretch = this.#stretchAt(address);
    if (stretch === null) return false;
    const page = Math.floor((address - stretch.start) / this.#pageBytes);
    const mask = 1 << (page & 7);
    const byte = stretch.bits[page >> 3] ?? 0;
    if ((byte & mask) === 0) return false;
    stretch.bits[page >> 3] = byte & ~mask;
    return true;
  }

  #stretchAt(address: number): Stretch | null {
    let low = 0;
    let high = this.#stretches.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const stretch = this.#stretches[middle];
      if (stretch === undefined) return null;
      if (address < stretch.start) high = middle - 1;
      else if (address >= stretch.end) low = middle + 1;
      else return stretch;
    }
    return null;
  }
}

/**
 * Null if there is no such process. Throws EACCES if it must not be inspected.
 *
 * @param alone whether pages that no other process maps count too
 */
export function readSharedPages(pid: number, alone: boolean): SharedPages | null {
  const mappings = readMaps(pid);
  if (mappings === null) return null;
  const pageBytes = kernelUnits().pageSize;
  const pagemap = new Pagemap(pid, pageBytes);
  try {
    const copied = mappings.filter((mapping) => mapping.private);
    return new SharedPages(
      pageBytes,
      copied.flatMap((mapping) => readStretches(mapping, pagemap, pageBytes, alone)),
    );
  } finally {
    pagemap.close();
  }
}

function readStretches(mapping: Mapping, pagemap: Pagemap, pageBytes: number, alone: boolean): Stretch[] {
  const stretches: Stretch[] = [];
  for (let start = mapping.start; start < mapping.end; start += PAGES_AT_ONCE * pageBytes) {
    const end = Math.min(mapping.end, start + PAGES_AT_ONCE * pageBytes);
    const entries = pagemap.entries(start, end);
    const bits = new Uint8Array((entries.count + 7) >> 3);
    let any = false;
    for (let page = 0; page < entries.count; page += 1) {
      if (!entries.isAnonymous(page) || (!alone && entries.isExclusive(page))) continue;
      bits[page >> 3] = (bits[page >> 3] ?? 0) | (1 << (page & 7));
      any = true;
    }
    if (any) stretches.push({ start, end, bits });
  }
  return stretches;
}
