/** Adds up the bytes of each owner by page, and makes a census of them. */
import type { CensusTables } from '../owners/census.ts';
import type { OwnerName } from '../owners/owner-name.ts';
import type { CensusBudget } from './census-budget.ts';
import type { MemoryImage } from './memory-image.ts';

const FIRST_SIZE = 1 << 16;
const ENTRY_BYTES = 12;
/** About what an owner costs, with its names. */
const OWNER_BYTES = 128;

export class PageTally {
  objects = 0;
  readonly #image: MemoryImage;
  readonly #budget: CensusBudget;
  readonly #pageUnits: number;
  readonly #pageBytes: number;
  /** The number of pages in the image. */
  readonly #pagesInAll: number;
  readonly #owners: OwnerName[] = [];
  /** The numbers of the current module's owners, by the number of the type's name. */
  #numbers: number[] = [];
  /** The same of each module that was left. */
  readonly #numbersOf = new Map<string | null, number[]>();
  #module: string | null = null;
  readonly #typeNumbers = new Map<string, number>();
  readonly #typeNames: string[] = [];
  /** A hash table: the page, the owner plus 1, and the bytes. */
  #pages = new Uint32Array(FIRST_SIZE);
  #entryOwners = new Uint32Array(FIRST_SIZE);
  #entryBytes = new Uint32Array(FIRST_SIZE);
  #used = 0;

  constructor(image: MemoryImage, pageBytes: number, budget: CensusBudget) {
    this.#image = image;
    this.#budget = budget;
    this.#pageBytes = pageBytes;
    this.#pageUnits = pageBytes / 8;
    this.#pagesInAll = image.units / this.#pageUnits;
    budget.hold(FIRST_SIZE * ENTRY_BYTES);
  }

  /** From now on, memory belongs to this module. */
  begin(module: string | null): void {
    this.#module = module;
    this.#numbers = this.#numbersOf.get(module) ?? [];
    this.#numbersOf.set(module, this.#numbers);
  }

  /** The number of a type's name. */
  typeNumber(name: string): number {
    const known = this.#typeNumbers.get(name);
    if (known !== undefined) return known;
    this.#typeNumbers.set(name, this.#typeNames.length);
    return this.#typeNames.push(name) - 1;
  }

  /** Counts memory that begins in a unit. Pages follow one another in the image, as far as memory does. */
  add(unit: number, bytes: number, type: number): void {
    const owner = this.#ownerOf(type);
    let page = Math.floor(unit / this.#pageUnits);
    let left = bytes;
    let room = this.#pageBytes - (unit % this.#pageUnits) * 8;
    if (left > room) this.#budget.spend(Math.min(Math.ceil(left / this.#pageBytes), this.#pagesInAll));
    while (left > 0 && page < this.#pagesInAll) {
      const part = Math.min(left, room);
      this.#addToPage(page, owner, part);
      left -= part;
      page += 1;
      room = this.#pageBytes;
    }
  }

  /** Sorts the entries by page, by counting them. */
  finish(): CensusTables {
    const next = new Uint32Array(this.#pagesInAll);
    for (const [place, owner] of this.#entryOwners.entries()) {
      if (owner !== 0) next[this.#pages[place] ?? 0] = (next[this.#pages[place] ?? 0] ?? 0) + 1;
    }
    const count = next.reduce((sum, entries) => sum + (entries === 0 ? 0 : 1), 0);
    const pages = new Float64Array(shared(count * 8));
    const firsts = new Uint32Array(shared((count + 1) * 4));
    let [index, entry] = [0, 0];
    for (const [page, entries] of next.entries()) {
      if (entries === 0) continue;
      pages[index] = this.#image.addressOf(page * this.#pageUnits) / this.#pageBytes;
      firsts[index] = next[page] = entry;
      entry += entries;
      index += 1;
    }
    firsts[count] = entry;
    const owners = new Uint32Array(shared(entry * 4));
    const bytes = new Uint32Array(shared(entry * 4));
    for (const [place, owner] of this.#entryOwners.entries()) {
      if (owner === 0) continue;
      const page = this.#pages[place] ?? 0;
      const at = next[page] ?? 0;
      next[page] = at + 1;
      owners[at] = owner - 1;
      bytes[at] = this.#entryBytes[place] ?? 0;
    }
    return { pageBytes: this.#pageBytes, objects: this.objects, names: this.#owners, pages, firsts, owners, bytes };
  }

  #ownerOf(type: number): number {
    const known = this.#numbers[type];
    if (known !== undefined) return known;
    this.#budget.hold(OWNER_BYTES);
    const number = this.#owners.push({ module: this.#module, type: this.#typeNames[type] ?? '' }) - 1;
    this.#numbers[type] = number;
    return number;
  }

  #addToPage(page: number, owner: number, bytes: number): void {
    const mask = this.#pages.length - 1;
    let place = Math.imul(Math.imul(page, 0x9e37_79b1) ^ owner, 0x85eb_ca6b);
    place ^= place >>> 15;
    for (;;) {
      place &= mask;
      const found = this.#entryOwners[place];
      if (found === 0) break;
      if (found === owner + 1 && this.#pages[place] === page) {
        this.#entryBytes[place] = (this.#entryBytes[place] ?? 0) + bytes;
        return;
      }
      place += 1;
    }
    this.#pages[place] = page;
    this.#entryOwners[place] = owner + 1;
    this.#entryBytes[place] = bytes;
    this.#used += 1;
    if (this.#used * 2 > this.#pages.length) this.#grow();
  }

  #grow(): void {
    const [pages, owners, bytes] = [this.#pages, this.#entryOwners, this.#entryBytes];
    const size = pages.length * 2;
    this.#budget.hold(size * ENTRY_BYTES);
    this.#pages = new Uint32Array(size);
    this.#entryOwners = new Uint32Array(size);
    this.#entryBytes = new Uint32Array(size);
    this.#used = 0;
    for (const [place, owner] of owners.entries()) {
      if (owner !== 0) this.#addToPage(pages[place] ?? 0, owner - 1, bytes[place] ?? 0);
    }
    this.#budget.release(pages.length * ENTRY_BYTES);
  }
}

/** Memory that threads can share. */
const shared = (bytes: number): SharedArrayBuffer => new SharedArrayBuffer(bytes);
