/** For tests: a typical comparison of a worker. */
import { CAUSE_NAMES, type CauseCounts } from '../pages/causes.ts';
import { PAGE_CODES, type RegionMap } from '../pages/page-map.ts';
import type { WorkerComparison } from '../compare/comparison.ts';

export function sampleCounts(some: Partial<CauseCounts> = {}): CauseCounts {
  return Object.assign(Object.fromEntries(CAUSE_NAMES.map((cause) => [cause, 0])) as CauseCounts, some);
}

/** The code of a page with a given state or cause. */
export function codeOf(name: string): number {
  return [...PAGE_CODES, ...CAUSE_NAMES].findIndex((each) => each === name);
}

export function sampleMap(start: number, path: string, states: readonly string[]): RegionMap {
  const codes = Uint8Array.from(states, codeOf);
  return {
    region: { start, end: start + states.length * 4096, path, ofFile: path.startsWith('/') },
    codes,
    counts: Uint32Array.from({ length: 256 }, (_, code) => codes.filter((each) => each === code).length),
    owners: new Int32Array(states.length).fill(-1),
  };
}

export function sampleComparison(more: Partial<WorkerComparison> = {}): WorkerComparison {
  return {
    pid: 200,
    pages: { sharedAtFork: 1000, shared: 600, unshared: 400, fresh: 50, released: 5 },
    causes: sampleCounts({ identical: 300, payload: 100 }),
    words: sampleCounts({ payload: 1234, refcount: 5 }),
    owners: [],
    map: [],
    ownerNames: [],
    unreadable: 0,
    freshAlikePart: 0.5,
    ...more,
  };
}
