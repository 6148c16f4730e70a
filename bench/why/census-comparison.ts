/** How much two censuses of one process agree; pure. */
import type { Census, CensusOwner } from '../../src/forensics/owners/census.ts';

export interface Agreement {
  /** The largest difference between a module's shares of all bytes, in percentage points, and that module. */
  readonly points: number;
  readonly module: string;
  /** The same without the modules that only the first census has: those that it imported itself. */
  readonly ownPoints: number;
  readonly ownModule: string;
  /** Pages in both, in percent of those in either. */
  readonly pagesInBothPercent: number;
  /** Pages whose largest module is the same, in percent of those in both; and whose largest owner is the same. */
  readonly sameModulePercent: number;
  readonly sameOwnerPercent: number;
  /** The modules with the largest differences, with their bytes in both. */
  readonly largest: readonly { readonly module: string; readonly first: number; readonly second: number }[];
}

const LARGEST = 8;

/**
 * @param isThere asked in the order of addresses, whether the process has a page: a census from a child also counts what the child has allocated
 */
export function agreementOf(first: Census, second: Census, isThere: (address: number) => boolean): Agreement {
  const addresses = (census: Census): number[] => [...census.addresses()].toSorted((x, y) => x - y).filter(isThere);
  const [a, b] = [bytesByModule(first, addresses(first)), bytesByModule(second, addresses(second))];
  const modules = [...new Set([...a.keys(), ...b.keys()])];
  const own = new Map([...a].filter(([module]) => b.has(module)));
  const all = differences(modules, a, b);
  const ours = differences(
    modules.filter((module) => b.has(module)),
    own,
    b,
  );
  const pages = new Set([...addresses(first), ...addresses(second)]);
  let [both, sameModule, sameOwner] = [0, 0, 0];
  for (const page of pages) {
    const [one, other] = [first.ownersOfPage(page), second.ownersOfPage(page)];
    if (one.length === 0 || other.length === 0) continue;
    both += 1;
    if (largestModule(one) === largestModule(other)) sameModule += 1;
    if (one[0]?.module === other[0]?.module && one[0]?.type === other[0]?.type) sameOwner += 1;
  }
  return {
    points: all[0]?.points ?? 0,
    module: all[0]?.module ?? '',
    ownPoints: ours[0]?.points ?? 0,
    ownModule: ours[0]?.module ?? '',
    pagesInBothPercent: (100 * both) / pages.size,
    sameModulePercent: (100 * sameModule) / both,
    sameOwnerPercent: (100 * sameOwner) / both,
    largest: all
      .slice(0, LARGEST)
      .map(({ module }) => ({ module, first: a.get(module) ?? 0, second: b.get(module) ?? 0 })),
  };
}

function bytesByModule(census: Census, pages: readonly number[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const page of pages) {
    census.visitPage(page, (owner, bytes) => {
      const module = census.names[owner]?.module ?? '(none)';
      sums.set(module, (sums.get(module) ?? 0) + bytes);
    });
  }
  return sums;
}

function differences(modules: readonly string[], a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>) {
  const totalOf = (sums: ReadonlyMap<string, number>): number =>
    [...sums.values()].reduce((sum, each) => sum + each, 0);
  const [total, other] = [totalOf(a), totalOf(b)];
  return modules
    .map((module) => {
      const one = (100 * (a.get(module) ?? 0)) / total;
      return { module, points: Math.abs(one - (100 * (b.get(module) ?? 0)) / other) };
    })
    .toSorted((left, right) => right.points - left.points);
}

function largestModule(owners: readonly CensusOwner[]): string | null {
  const sums = new Map<string | null, number>();
  for (const { module, bytes } of owners) sums.set(module, (sums.get(module) ?? 0) + bytes);
  let [largest, most]: [string | null, number] = [null, -1];
  for (const [module, bytes] of sums) if (bytes > most) [largest, most] = [module, bytes];
  return largest;
}
