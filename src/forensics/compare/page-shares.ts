/**
 * Divides a worker's pages among owners, as the reference's census says. While the census is under way, what was read
 * on each page is kept, in few bytes, and divided later.
 */
import { CensusOwners } from '../owners/census-owners.ts';
import { type OwnerTally, PageOwners } from '../owners/owners.ts';
import type { Cause } from '../pages/causes.ts';
import type { ComingCensus } from './coming-census.ts';

/** 8 bytes each. With more of them, the census is waited for. */
const MOST_KEPT_ENTRIES = 4 << 20;

/** Where the number of a page's largest owner is written; -1 there if none is known. */
export interface OwnerPlace {
  readonly owners: Int32Array;
  readonly page: number;
}

interface KeptPage extends OwnerPlace {
  readonly address: number;
  readonly cause: Cause;
  /** The index after its last entry. */
  readonly end: number;
}

export class PageShares {
  readonly #tally: OwnerTally;
  readonly #coming: ComingCensus;
  readonly #mostKept: number;
  #census: CensusOwners | null | undefined;
  #pages: KeptPage[] = [];
  readonly #entries = new Entries();

  constructor(tally: OwnerTally, coming: ComingCensus, mostKept: number = MOST_KEPT_ENTRIES) {
    this.#tally = tally;
    this.#coming = coming;
    this.#mostKept = mostKept;
  }

  /** Counts a page, now or later. `owners` is empty or changed afterwards. */
  add(owners: PageOwners, cause: Cause, address: number, place: OwnerPlace): void {
    if (this.#census === undefined) this.#useIfThere();
    if (this.#census !== undefined) {
      this.#count(owners, cause, address, place);
      return;
    }
    this.#entries.add(owners.written, true);
    this.#entries.add(owners.bystanders, false);
    const { length } = this.#entries;
    this.#pages.push({ owners: place.owners, page: place.page, address, cause, end: length });
    if (length > this.#mostKept) this.finish();
  }

  /** Waits for the census, and counts the pages that were kept. */
  finish(): void {
    if (this.#census === undefined) this.#use(this.#coming.wait());
  }

  #useIfThere(): void {
    const there = this.#coming.look();
    if (there !== undefined) this.#use(there);
  }

  #use(census: ReturnType<ComingCensus['wait']>): void {
    this.#census = census === null ? null : new CensusOwners(census, this.#tally);
    const owners = new PageOwners();
    let entry = 0;
    for (const page of this.#pages) {
      owners.clear();
      for (; entry < page.end; entry += 1) this.#entries.giveTo(owners, entry);
      this.#count(owners, page.cause, page.address, page);
    }
    this.#pages = [];
    this.#entries.clear();
  }

  #count(owners: PageOwners, cause: Cause, address: number, place: OwnerPlace): void {
    this.#census?.give(owners, address);
    place.owners[place.page] = this.#tally.count(owners, cause);
  }
}

/** A bit of an entry's bytes says whether they were written; no page has as many. */
const WRITTEN = 2 ** 31;

/** Owners by number, with the bytes that each has on a page. */
class Entries {
  #numbers = new Uint32Array(1 << 12);
  #bytes = new Uint32Array(1 << 12);
  length = 0;

  add(owners: ReadonlyMap<number, number>, isWritten: boolean): void {
    for (const [number, bytes] of owners) {
      if (this.length === this.#numbers.length) this.#grow();
      this.#numbers[this.length] = number;
      this.#bytes[this.length] = isWritten ? bytes + WRITTEN : bytes;
      this.length += 1;
    }
  }

  giveTo(owners: PageOwners, entry: number): void {
    const bytes = this.#bytes[entry] ?? 0;
    owners.add(this.#numbers[entry] ?? 0, bytes % WRITTEN, bytes >= WRITTEN);
  }

  clear(): void {
    this.#numbers = new Uint32Array(0);
    this.#bytes = new Uint32Array(0);
    this.length = 0;
  }

  #grow(): void {
    const [numbers, bytes] = [this.#numbers, this.#bytes];
    this.#numbers = new Uint32Array(numbers.length * 2);
    this.#bytes = new Uint32Array(bytes.length * 2);
    this.#numbers.set(numbers);
    this.#bytes.set(bytes);
  }
}
