/**
 * Assigns what lies on a page to the modules that hold it, according to a census.
 *
 * Memory read from outside says which of a page's objects were written, by type; the census says which modules have
 * objects of these types there. Several modules share by their bytes, since which of two dicts is whose can't be told.
 */
import type { Census } from './census.ts';
import { isLoose } from './owner-name.ts';
import type { OwnerTally, PageOwners } from './owners.ts';

/** What becomes of an owner read from outside: one of these two, or the number of the type whose owners replace it. */
const KEEP = -1;
const SHARE_WITH_ALL = -2;
/** Not known yet. */
const NEW = -1;

/** Serves one tally of owners. Compares names once, and only numbers for each page. */
export class CensusOwners {
  readonly #census: Census;
  readonly #tally: OwnerTally;
  readonly #typeNumbers = new Map<string, number>();
  /** Indexed by the census's number of an owner: its type, and its number in the tally. */
  readonly #types: Int32Array;
  readonly #numbers: Int32Array;
  /** Indexed by the tally's number of an owner. */
  readonly #becomes: number[] = [];
  /** The owners on the current page, by the census's numbers, with their bytes. */
  readonly #there: number[] = [];
  readonly #bytes: number[] = [];

  constructor(census: Census, tally: OwnerTally) {
    this.#census = census;
    this.#tally = tally;
    this.#numbers = new Int32Array(census.tables.names.length).fill(NEW);
    this.#types = Int32Array.from(census.tables.names, ({ type }) => {
      const number = this.#typeNumbers.get(type) ?? this.#typeNumbers.size;
      this.#typeNumbers.set(type, number);
      return number;
    });
  }

  /**
   * Replaces the owners in `page` by those that the census names.
   *
   * @param address any address of that page
   */
  give(page: PageOwners, address: number): void {
    this.#there.length = 0;
    this.#bytes.length = 0;
    this.#census.visitPage(address, (owner, bytes) => {
      this.#there.push(owner);
      this.#bytes.push(bytes);
    });
    if (this.#there.length === 0) return;
    this.#giveOf(page.written);
    this.#giveOf(page.bystanders);
  }

  #giveOf(map: Map<number, number>): void {
    const before = [...map];
    map.clear();
    for (const [owner, bytes] of before) {
      this.#becomes[owner] ??= this.#whatBecomesOf(owner);
      const type = this.#becomes[owner] ?? KEEP;
      const total = type === KEEP ? 0 : this.#bytesOf(type);
      // The part of other memory that the census gives to nobody keeps its owner.
      const rest = type === SHARE_WITH_ALL ? Math.max(0, this.#census.tables.pageBytes - total) : 0;
      if (total === 0) {
        add(map, owner, bytes);
        continue;
      }
      const part = bytes / (total + rest);
      for (const [index, each] of this.#there.entries()) {
        if (type !== SHARE_WITH_ALL && this.#types[each] !== type) continue;
        add(map, this.#numberOf(each, owner), (this.#bytes[index] ?? 0) * part);
      }
      if (rest > 0) add(map, owner, rest * part);
    }
  }

  #bytesOf(type: number): number {
    let total = 0;
    for (const [index, owner] of this.#there.entries()) {
      if (type === SHARE_WITH_ALL || this.#types[owner] === type) total += this.#bytes[index] ?? 0;
    }
    return total;
  }

  #whatBecomesOf(owner: number): number {
    const name = this.#tally.nameOf(owner);
    if (name === undefined || (name.module !== null && this.#tally.saysItself(owner))) return KEEP;
    if (isLoose(name)) return SHARE_WITH_ALL;
    return this.#typeNumbers.get(name.type) ?? KEEP;
  }

  /** @param before the owner read from outside, which stays if no module holds the object and its class has one */
  #numberOf(owner: number, before: number): number {
    const name = this.#census.tables.names[owner];
    if (name?.module === null && (this.#tally.nameOf(before)?.module ?? null) !== null) return before;
    const known = this.#numbers[owner] ?? NEW;
    if (known !== NEW || name === undefined) return known;
    const number = this.#tally.numberOf(name);
    this.#numbers[owner] = number;
    return number;
  }
}

function add(map: Map<number, number>, owner: number, bytes: number): void {
  map.set(owner, (map.get(owner) ?? 0) + bytes);
}
