/** Adds owners up by module; pure. */
import type { Cause } from '../pages/causes.ts';
import type { Owner } from './owners.ts';

export interface ModulePages {
  /** Null for pages that no module is known to hold. */
  readonly module: string | null;
  readonly pages: number;
  readonly causes: Partial<Record<Cause, number>>;
  readonly bystanderBytes: number;
}

/** The modules, the largest first. */
export function byModule(owners: readonly Owner[]): ModulePages[] {
  const sums = new Map<string | null, Sum>();
  for (const { module, pages, causes, bystanderBytes } of owners) {
    const sum = sums.get(module) ?? { module, pages: 0, causes: {}, bystanderBytes: 0 };
    sums.set(module, sum);
    sum.pages += pages;
    sum.bystanderBytes += bystanderBytes;
    for (const [cause, count] of Object.entries(causes) as [Cause, number][]) {
      sum.causes[cause] = (sum.causes[cause] ?? 0) + count;
    }
  }
  return [...sums.values()].toSorted((a, b) => b.pages - a.pages);
}

interface Sum extends ModulePages {
  pages: number;
  readonly causes: Partial<Record<Cause, number>>;
  bystanderBytes: number;
}
