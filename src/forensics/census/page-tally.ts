/** Adds up the bytes of each owner by page, and makes a census of them. */
import { Census, type CensusFacts } from '../owners/census.ts';
import type { MemoryImage } from './memory-image.ts';

const FIRST_SIZE = 1 << 16;

export class PageTally {
  objects = 0;
  bytes = 0;
  readonly #image: MemoryImage;
  readonly #pageUnits: number;
  readonly #pageBytes: number;
  readonly #owners: { readonly module: string | null; readonly type: string }[] = [];
  /** The numbers of the current module's owners, by the number of the type's name. */
  #numbers: number[] = [];
  #module: string | null = null;
  readonly #typeNumbers = new Map<string, number>();
  readonly #typeNames: string[] = [];
  /** A hash table: the page, the owner plus 1, and the bytes. */
  #pages = new Uint32Array(FIRST_SIZE);
  #entryOwners = new Uint32Array(FIRST_SIZE);
  #entryBytes = new Uint32Array(FIRST_SIZE);
  #used = 0;

  constructor(image: MemoryImage, pageBytes: number) {
    this.#image = image;
    this.#pageBytes = pageBytes;
    this.#pageUnits = pageBytes / 8;
  }

  /** From now on, memory belongs to this module. */
  begin(module: string | null): void {
    this.#module = module;
    this.#numbers = [];
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
    this.bytes += bytes;
    let page = Math.floor(unit / this.#pageUnits);
    let left = bytes;
    let room = this.#pageBytes - (unit % this.#pageUnits) * 8;
    while (left > 0) {
      const part = Math.min(left, room);
      this.#addToPage(page, owner, part);
      left -= part;
      page += 1;
      room = this.#pageBytes;
    }
  }

  finish(facts: Omit<CensusFacts, 'objects' | 'bytes' | 'page_bytes'>): Census {
    const slots = new Map<number, number>();
    const slotOf = new Map<number, number>();
    const counts: number[] = [];
    for (const [place, owner] of this.#entryOwners.entries()) {
      if (owner === 0) continue;
      const page = this.#pages[place] ?? 0;
      let slot = slotOf.get(page);
      if (slot === undefined) {
        slotOf.set(page, (slot = slotOf.size));
        slots.set(this.#image.addressOf(page * this.#pageUnits) / this.#pageBytes, slot);
        counts.push(0);
      }
      counts[slot] = (counts[slot] ?? 0) + 1;
    }
    const firsts = new Uint32Array(slots.size + 1);
    for (const [slot, count] of counts.entries()) firsts[slot + 1] = (firsts[slot] ?? 0) + count;
    const next = firsts.slice();
    const owners = new Uint32Array(this.#used);
    const bytes = new Uint32Array(this.#used);
    for (const [place, owner] of this.#entryOwners.entries()) {
      if (owner === 0) continue;
      const slot = slotOf.get(this.#pages[place] ?? 0) ?? 0;
      const at = next[slot] ?? 0;
      next[slot] = at + 1;
      owners[at] = owner - 1;
      bytes[at] = this.#entryBytes[place] ?? 0;
    }
    const all = { ...facts, objects: this.objects, bytes: this.bytes, page_bytes: this.#pageBytes };
    return new Census(all, this.#owners, { slots, firsts, owners, bytes });
  }

  #ownerOf(type: number): number {
    const known = this.#numbers[type];
    if (known !== undefined) return known;
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
    this.#pages = new Uint32Array(size);
    this.#entryOwners = new Uint32Array(size);
    this.#entryBytes = new Uint32Array(size);
    this.#used = 0;
    for (const [place, owner] of owners.entries()) {
      if (owner !== 0) this.#addToPage(pages[place] ?? 0, owner - 1, bytes[place] ?? 0);
    }
  }
}
