/**
 * The census of a process: who owns the objects on each page of its memory; pure data.
 *
 * Its tables are in shared memory, so that the threads of a look use one copy.
 */
import type { OwnerName } from './owner-name.ts';

export interface CensusOwner extends OwnerName {
  /** How many bytes of the page they take. */
  readonly bytes: number;
}

/** Plain data, which can be posted to a thread. */
export interface CensusTables {
  readonly pageBytes: number;
  /** How many objects were counted. */
  readonly objects: number;
  /** Owners, by number: the module that holds the objects, null if no module does, and their type. */
  readonly names: readonly OwnerName[];
  /** The numbers of the pages with an owner, ascending: addresses divided by the size of a page. */
  readonly pages: Float64Array;
  /** Entries by page: the page at index `p` has `owners[i]` and `bytes[i]` for i from `firsts[p]` to before `firsts[p + 1]`. */
  readonly firsts: Uint32Array;
  readonly owners: Uint32Array;
  readonly bytes: Uint32Array;
}

export class Census {
  readonly tables: CensusTables;

  constructor(tables: CensusTables) {
    this.tables = tables;
  }

  /** The addresses of the pages with an owner. */
  *addresses(): Generator<number> {
    for (const page of this.tables.pages) yield page * this.tables.pageBytes;
  }

  /** Calls back with each owner's number and bytes on the page of an address. */
  visitPage(address: number, visit: (owner: number, bytes: number) => void): void {
    const { pageBytes, firsts, owners, bytes } = this.tables;
    const index = this.#indexOf(Math.floor(address / pageBytes));
    if (index < 0) return;
    const end = firsts[index + 1] ?? 0;
    for (let entry = firsts[index] ?? 0; entry < end; entry += 1) visit(owners[entry] ?? 0, bytes[entry] ?? 0);
  }

  /** The owners of objects on the page of an address, the largest first. */
  ownersOfPage(address: number): CensusOwner[] {
    const found: CensusOwner[] = [];
    this.visitPage(address, (owner, bytes) => {
      const name = this.tables.names[owner];
      if (name !== undefined) found.push({ module: name.module, type: name.type, bytes });
    });
    return found.toSorted((a, b) => b.bytes - a.bytes);
  }

  /** The index of a page; negative if it has no owner. */
  #indexOf(page: number): number {
    const { pages } = this.tables;
    let [low, high] = [0, pages.length - 1];
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = pages[middle] ?? 0;
      if (found === page) return middle;
      if (found < page) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}
