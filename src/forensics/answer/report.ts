/** The answer to "why": the results of a look at a family's workers, as plain data; pure. docs/why.md describes it. */
import type { Advice } from './advice.ts';
import { advise } from './advice.ts';
import { CAUSE_NAMES, type Cause, type CauseCounts } from '../pages/causes.ts';
import { causeOfCode, PAGE_CODES } from '../pages/page-map.ts';
import { medianOf } from '../compare/median.ts';
import type { WorkerComparison } from '../compare/comparison.ts';
import { byModule, type ModulePages } from '../owners/modules.ts';

/** Raised when a field changes its meaning or is removed. */
export const REPORT_VERSION = 1;

const MOST_OWNERS = 40;
const MOST_MODULES = 40;

export interface CauseReport {
  readonly pages: number;
  readonly bytes: number;
  /** Percent of the unshared pages. */
  readonly percent: number;
  /** Words of 8 bytes with this cause, on pages of any cause. */
  readonly words: number;
}

export interface OwnerReport {
  readonly module: string | null;
  readonly type: string;
  readonly bytes: number;
  /** Percent of the unshared pages. */
  readonly percent: number;
  readonly causes: Partial<Record<Cause, number>>;
  /** Bytes of its objects that were not written but lie on unshared pages. */
  readonly bystander_bytes: number;
}

export interface ModuleReport extends Omit<OwnerReport, 'type'> {}

export interface MappingReport {
  /** A path, `[heap]`, `[stack]`, or `anonymous`. */
  readonly name: string;
  readonly unshared_bytes: number;
  readonly shared_bytes: number;
  readonly causes: Partial<Record<Cause, number>>;
}

export interface WorkerWhy {
  readonly pid: number;
  /** All sizes are in bytes. */
  readonly shared_at_fork: number;
  readonly shared: number;
  readonly unshared: number;
  /** Memory that the worker has made itself since its fork. */
  readonly fresh: number;
  /** How much of it is similar to another worker's, from a sample; null if not looked for. */
  readonly fresh_alike_percent: number | null;
  readonly released: number;
  readonly causes: Record<Cause, CauseReport>;
  readonly owners: readonly OwnerReport[];
  /** All owners added up by module. */
  readonly modules: readonly ModuleReport[];
  readonly mappings: readonly MappingReport[];
  readonly unreadable_pages: number;
}

export interface WhyReport {
  readonly version: typeof REPORT_VERSION;
  readonly taken_at: string;
  readonly seconds: number;
  readonly page_bytes: number;
  readonly reference: {
    readonly pid: number;
    readonly name: string;
    /** "CPython 3.13.0"; null if it is not Python. */
    readonly interpreter: string | null;
    /** Why its objects can't be told apart; null if they can. */
    readonly problem: string | null;
    /** The reference is another worker, since the parent is gone. */
    readonly is_sibling: boolean;
    /** The herd's heap policy; null for another server. */
    readonly policy: string | null;
    /** A census says which modules hold the objects. Without one only their types tell where they come from. */
    readonly has_census: boolean;
    /** Why there is no census, if one was asked for. */
    readonly census_problem: string | null;
    /** Bytes of mappings that are too large to look at. */
    readonly left_out: number;
  };
  /** The worker with the median unshared memory, which the advice is based on. */
  readonly median_pid: number;
  readonly workers: readonly WorkerWhy[];
  readonly advice: readonly Advice[];
}

export interface WhyFacts {
  readonly takenAt: Date;
  readonly seconds: number;
  readonly pageBytes: number;
  readonly reference: WhyReport['reference'];
  readonly minor: number | null;
  readonly collectorCalledBy: string | null;
  readonly isWarmedUp: boolean;
  /** How many workers there are; fewer may have been looked at. */
  readonly workers: number;
  readonly comparisons: readonly WorkerComparison[];
}

export function whyReport(facts: WhyFacts): WhyReport {
  const { comparisons, pageBytes } = facts;
  // Owners are known for at least one worker: the median one when the look began.
  const middle =
    medianOf(
      comparisons.filter(({ owners }) => owners.length > 0),
      ({ pages }) => pages.unshared,
    ) ?? comparisons[0];
  if (middle === undefined) throw new RangeError('no worker was looked at');
  return {
    version: REPORT_VERSION,
    taken_at: facts.takenAt.toISOString(),
    seconds: facts.seconds,
    page_bytes: pageBytes,
    reference: facts.reference,
    median_pid: middle.pid,
    workers: comparisons.map((comparison) => workerWhy(comparison, pageBytes)),
    advice: advise({
      causes: middle.causes,
      sharedAtForkPages: middle.pages.sharedAtFork,
      freshPages: middle.pages.fresh,
      freshAlikePart: middle.freshAlikePart,
      workers: facts.workers,
      pageBytes,
      minor: facts.minor,
      policy: facts.reference.policy,
      collectorCalledBy: facts.collectorCalledBy,
      isWarmedUp: facts.isWarmedUp,
      payloadOwner: payloadOwner(middle, facts.reference.has_census),
    }),
  };
}

/** The owner of most payload pages: a module if there is a census, else a type. */
function payloadOwner({ owners }: WorkerComparison, hasCensus: boolean): { name: string; pages: number } | null {
  const named = hasCensus
    ? byModule(owners).map(({ module, causes }) => ({ name: module ?? '', causes }))
    : owners.map(({ module, type, causes }) => ({ name: ownerName(module, type), causes }));
  const [largest] = named
    .filter(({ name }) => name !== '')
    .map(({ name, causes }) => ({ name, pages: causes.payload ?? 0 }))
    .toSorted((a, b) => b.pages - a.pages);
  return largest === undefined || largest.pages === 0 ? null : largest;
}

export function ownerName(module: string | null, type: string): string {
  return module === null || module === 'builtins' ? type : `${type} of ${module}`;
}

function workerWhy(comparison: WorkerComparison, pageBytes: number): WorkerWhy {
  const { pages, causes, words, owners } = comparison;
  const ofModule = (owner: ModulePages): ModuleReport => ({
    module: owner.module,
    bytes: Math.round(owner.pages * pageBytes),
    percent: part(owner.pages),
    causes: inBytes(owner.causes, pageBytes),
    bystander_bytes: Math.round(owner.bystanderBytes),
  });
  const part = (count: number): number => (pages.unshared === 0 ? 0 : (100 * count) / pages.unshared);
  return {
    pid: comparison.pid,
    shared_at_fork: pages.sharedAtFork * pageBytes,
    shared: pages.shared * pageBytes,
    unshared: pages.unshared * pageBytes,
    fresh: pages.fresh * pageBytes,
    fresh_alike_percent: comparison.freshAlikePart === null ? null : 100 * comparison.freshAlikePart,
    released: pages.released * pageBytes,
    causes: Object.fromEntries(
      CAUSE_NAMES.map((cause) => [
        cause,
        {
          pages: causes[cause],
          bytes: causes[cause] * pageBytes,
          percent: part(causes[cause]),
          words: words[cause],
        },
      ]),
    ) as Record<Cause, CauseReport>,
    owners: owners.slice(0, MOST_OWNERS).map((owner) => Object.assign(ofModule(owner), { type: owner.type })),
    modules: byModule(owners)
      .slice(0, MOST_MODULES)
      .map((each) => ofModule(each)),
    mappings: mappingsOf(comparison, pageBytes),
    unreadable_pages: comparison.unreadable,
  };
}

function inBytes(causes: Partial<CauseCounts>, pageBytes: number): Partial<CauseCounts> {
  return Object.fromEntries(Object.entries(causes).map(([cause, pages]) => [cause, Math.round(pages * pageBytes)]));
}

const SHARED_CODE = PAGE_CODES.indexOf('shared');

function mappingsOf({ map }: WorkerComparison, pageBytes: number): MappingReport[] {
  const byName = new Map<string, { shared: number; unshared: number; causes: Partial<CauseCounts> }>();
  for (const { region, counts } of map) {
    const name = region.path === '' ? 'anonymous' : region.path;
    const sums = byName.get(name) ?? { shared: 0, unshared: 0, causes: {} };
    byName.set(name, sums);
    sums.shared += counts[SHARED_CODE] ?? 0;
    for (const [code, count] of counts.entries()) {
      const cause = count === 0 ? null : causeOfCode(code);
      if (cause === null) continue;
      sums.unshared += count;
      sums.causes[cause] = (sums.causes[cause] ?? 0) + count;
    }
  }
  return [...byName]
    .filter(([, { unshared }]) => unshared > 0)
    .map(([name, { shared, unshared, causes }]) => ({
      name,
      unshared_bytes: unshared * pageBytes,
      shared_bytes: shared * pageBytes,
      causes: inBytes(causes, pageBytes),
    }))
    .toSorted((a, b) => b.unshared_bytes - a.unshared_bytes);
}
