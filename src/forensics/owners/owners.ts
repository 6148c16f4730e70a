/** Who owns the pages that are no longer shared. Each page is divided among the owners of what was written on it. */
import type { ObjectType } from '../../cpython/types-outside.ts';
import type { Cause } from '../pages/causes.ts';
import type { MemoryWindow } from '../pages/memory-window.ts';
import { objectOwner, saysItsModule } from './object-owner.ts';
import type { OwnerName } from './owner-name.ts';
import type { InspectedInterpreter } from '../heap/pool-reading.ts';

export interface Owner extends OwnerName {
  /** May be fractional: a page on which two owners' objects were written is divided by their bytes. */
  readonly pages: number;
  /** The same pages by cause. */
  readonly causes: Partial<Record<Cause, number>>;
  /** Bytes of objects that were not written but lie on unshared pages. */
  readonly bystanderBytes: number;
}

interface Tally {
  readonly name: OwnerName;
  pages: number;
  causes: Partial<Record<Cause, number>>;
  bystanderBytes: number;
}

/** One page's objects: owners by number, with the bytes that each has on the page. */
export class PageOwners {
  readonly written = new Map<number, number>();
  readonly bystanders = new Map<number, number>();

  clear(): void {
    this.written.clear();
    this.bystanders.clear();
  }

  add(owner: number, bytes: number, isWritten: boolean): void {
    const map = isWritten ? this.written : this.bystanders;
    map.set(owner, (map.get(owner) ?? 0) + bytes);
  }
}

export class OwnerTally {
  readonly #tallies: Tally[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #byType = new Map<ObjectType, number>();
  readonly #sayThemselves = new Set<number>();

  /** The owner of an object. Its type decides, except for functions, modules and classes, which name their module. */
  ownerOf(type: ObjectType, start: number, window: MemoryWindow, interpreter: InspectedInterpreter): number {
    const known = this.#byType.get(type);
    if (known !== undefined) return known;
    const number = this.numberOf(objectOwner(type, start, window, interpreter));
    if (saysItsModule(type)) this.#sayThemselves.add(number);
    else this.#byType.set(type, number);
    return number;
  }

  /** The number of an owner; equal names have the same number. */
  numberOf(name: OwnerName): number {
    const key = `${name.module ?? ''}\0${name.type}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#tallies.length);
    this.#tallies.push({ name, pages: 0, causes: {}, bystanderBytes: 0 });
    return this.#tallies.length - 1;
  }

  nameOf(number: number): OwnerName | undefined {
    return this.#tallies[number]?.name;
  }

  /** Whether the owner's objects are functions, modules or classes, which name their module. */
  saysItself(number: number): boolean {
    return this.#sayThemselves.has(number);
  }

  /** Owners' names, indexed by number. */
  names(): OwnerName[] {
    return this.#tallies.map(({ name }) => name);
  }

  /**
   * Counts a page.
   *
   * @returns the number of the owner with the largest part of it; -1 if no owner is known
   */
  count(page: PageOwners, cause: Cause): number {
    // On a page that is identical, no object is known to have been written.
    const shares = page.written.size > 0 ? page.written : page.bystanders;
    let total = 0;
    for (const bytes of shares.values()) total += bytes;
    let largest = -1;
    let most = 0;
    for (const [number, bytes] of shares) {
      const tally = this.#tallies[number];
      if (tally === undefined || total === 0) continue;
      const part = bytes / total;
      tally.pages += part;
      tally.causes[cause] = (tally.causes[cause] ?? 0) + part;
      if (bytes > most) {
        largest = number;
        most = bytes;
      }
    }
    if (shares === page.written) {
      for (const [number, bytes] of page.bystanders) {
        const tally = this.#tallies[number];
        if (tally !== undefined) tally.bystanderBytes += bytes;
      }
    }
    return largest;
  }

  /** All owners that have anything, the largest first. */
  owners(): Owner[] {
    return this.#tallies
      .filter((tally) => tally.pages > 0 || tally.bystanderBytes > 0)
      .map(({ name: { module, type }, pages, causes, bystanderBytes }) => ({
        module,
        type,
        pages,
        causes,
        bystanderBytes,
      }))
      .toSorted((a, b) => b.pages - a.pages || b.bystanderBytes - a.bystanderBytes);
  }
}
