/**
 * Gives what lies on a page to the modules that hold it, as a census says; pure.
 *
 * What was read from outside says which of a page's objects were written, by their types; the census says which modules
 * have objects of these types there. Where several have, they share by their bytes: which of two dicts is whose can't be
 * told.
 */
import type { Census, CensusOwner } from './census.ts';
import { isLoose } from './owner-name.ts';
import type { OwnerTally, PageOwners } from './owners.ts';

/** @param address an address of the page that these are the owners of; they are changed */
export function giveToModules(page: PageOwners, address: number, tally: OwnerTally, census: Census): void {
  const there = census.ownersOfPage(address);
  if (there.length === 0) return;
  for (const map of [page.written, page.bystanders]) {
    const before = [...map];
    map.clear();
    const add = (owner: number, bytes: number): void => {
      map.set(owner, (map.get(owner) ?? 0) + bytes);
    };
    for (const [owner, bytes] of before) {
      const takers = takersOf(owner, tally, there, census.facts.page_bytes);
      const total = takers.reduce((sum, taker) => sum + taker.bytes, 0);
      if (total === 0) add(owner, bytes);
      else for (const taker of takers) add(tally.numberOf(taker), (bytes * taker.bytes) / total);
    }
  }
}

/** Who shares what this owner has; nobody where the census does not know better. */
function takersOf(
  owner: number,
  tally: OwnerTally,
  there: readonly CensusOwner[],
  pageBytes: number,
): readonly CensusOwner[] {
  const name = tally.nameOf(owner);
  if (name === undefined || (name.module !== null && tally.saysItself(owner))) return [];
  if (!isLoose(name)) return there.filter(({ type }) => type === name.type);
  // All that is on the page, and what is left of it.
  const known = there.reduce((sum, { bytes }) => sum + bytes, 0);
  return [...there, { ...name, bytes: Math.max(0, pageBytes - known) }];
}
