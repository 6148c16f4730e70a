/**
 * Compares the workers' memory with their reference's, page by page: what is still shared, what is not, and why.
 *
 * No process is stopped or written to. Pagemaps tell which pages differ, and these are read from both processes in
 * windows of 1 MiB, so that the memory needed does not grow with the size of the heap.
 */
import { alikePart } from './similar-pages.ts';
import { CAUSE_NAMES, type CauseCounts, causeOfRank, RANK } from '../pages/causes.ts';
import { type ComingCensus, NO_CENSUS } from './coming-census.ts';
import { MemoryWindow, WINDOW_BYTES } from '../pages/memory-window.ts';
import type { OwnerName } from '../owners/owner-name.ts';
import { type Owner, OwnerTally, PageOwners } from '../owners/owners.ts';
import { pageCause, ReferenceWindow } from './page-cause.ts';
import { PageShares } from './page-shares.ts';
import { commonRegions, pageState, type Region, type Span, uncommon } from '../pages/page-states.ts';
import type { PoolIndex } from '../heap/pool-index.ts';
import { chunksAt, type HeapChunks, presence, walkHeap } from '../heap/heap-chunks.ts';
import { medianOf } from './median.ts';
import { ABSENT, FRESH, PAGE_CODES, type RegionMap, RELEASED, setCode, SHARED, TO_LOOK_AT } from '../pages/page-map.ts';
import type { Reference } from '../heap/reference.ts';
import type { Subject } from '../pages/subject.ts';
import { surroundings } from '../heap/surroundings.ts';

/** Numbers of pages. */
export interface PageCounts {
  readonly sharedAtFork: number;
  readonly shared: number;
  readonly unshared: number;
  readonly fresh: number;
  readonly released: number;
}

export interface WorkerComparison {
  readonly pid: number;
  readonly pages: PageCounts;
  readonly causes: CauseCounts;
  /** Changed words, by the cause that each alone would be. */
  readonly words: CauseCounts;
  readonly owners: Owner[];
  readonly map: RegionMap[];
  readonly ownerNames: OwnerName[];
  /** Pages that disappeared while being read; counted as `unknown`. */
  readonly unreadable: number;
  /**
   * The part of its fresh pages that is similar to another worker's (`similar-pages.ts`), from 0 to 1. Null if there
   * is no other worker, or if owners were not looked up for this one.
   */
  readonly freshAlikePart: number | null;
}

/** How many pages a worker no longer shares with its reference, counted from page tables alone. */
export function unsharedPages(reference: Subject, worker: Subject): number {
  let count = 0;
  for (const { start, end } of commonRegions(reference.mappings, worker.mappings)) {
    const [theirs, mine] = [reference.entries(start, end), worker.entries(start, end)];
    for (let page = 0; page < mine.count; page += 1) if (pageState(theirs, mine, page) === 'unshared') count += 1;
  }
  return count;
}

interface ComparedWorker {
  readonly subject: Subject;
  readonly tally: OwnerTally;
  /** Changed words by the rank of their cause. */
  readonly words: Float64Array;
  readonly common: readonly Region[];
  readonly map: RegionMap[];
  /** By the address of a window: the regions with pages to look at in it. */
  readonly byWindow: Map<number, RegionMap[]>;
  /** Null if owners are not looked up. */
  shares: PageShares | null;
  unreadable: number;
}

export interface CompareOptions {
  readonly pageBytes: number;
  /** Workers whose owners are looked up, which is much of the work; `median`: the median one by unshared pages. */
  readonly ownersOf: readonly number[] | 'median';
  /** The reference's census: who holds its objects. */
  readonly census?: ComingCensus;
  /** Called with the number of windows done and their total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Called between small pieces of work, with an estimate of the remaining work in milliseconds. */
  readonly rest?: (leftMs: number) => void;
}

/** Estimates of a comparison's parts, in milliseconds, on a machine of 2024. */
const WORK_MS = {
  /** The page tables of a worker with a heap of 250 MiB. */
  tables: 15,
  /** The chunks of the C library's heap. */
  heap: 15,
  /** A look at few pages, whose code has not run often enough to be fast. */
  fewPages: 100,
  page: 0.015,
  /** All pages together, while their number is not known. */
  unknownPages: 300,
} as const;

/** Estimate of the work, in milliseconds, before the number of pages to look at is known. */
export function workOf(workers: number): number {
  return workers * WORK_MS.tables + WORK_MS.heap + WORK_MS.fewPages + WORK_MS.unknownPages;
}

/** Compares each worker with the reference; the results are in the order of the workers. */
export function compare(
  reference: Reference,
  workers: readonly Subject[],
  { pageBytes, ownersOf, census = NO_CENSUS, onProgress, rest = () => {} }: CompareOptions,
): WorkerComparison[] {
  const states = workers.map((worker, index) =>
    beginWorker(reference, worker, pageBytes, (part) => {
      rest(workOf(workers.length - index - part));
    }),
  );
  const total = states.reduce((sum, state) => sum + unsharedPagesOf(state), 0);
  const pagesMs = WORK_MS.fewPages + total * WORK_MS.page;
  const asked = ownersOf === 'median' ? [medianOf(states, unsharedPagesOf)?.subject.pid] : ownersOf;
  for (const state of states) {
    if (asked.includes(state.subject.pid)) state.shares = new PageShares(state.tally, census);
  }
  const isReferenceThere = presence(reference, pageBytes);
  const starts = [...new Set(states.flatMap((state) => [...state.byWindow.keys()]))].toSorted((a, b) => a - b);
  const window = new MemoryWindow(pageBytes);
  const workerWindow = new MemoryWindow(pageBytes);
  const known = new ReferenceWindow(window, reference.interpreter, reference.pools);
  const chunks =
    reference.interpreter === null
      ? null
      : walkHeap(reference, isReferenceThere, pageBytes, (part) => rest(pagesMs + WORK_MS.heap * (1 - part)));
  const tools = { known, workerWindow, chunks, owners: new PageOwners(), pageBytes };

  let done = 0;
  for (const [index, start] of starts.entries()) {
    const looks = states.map((state) => pagesOfWindow(state, start, pageBytes));
    const wanted = pagesToRead(looks.flat(), start, reference.pools, chunks, pageBytes);
    const isThere = (page: number): boolean => isReferenceThere(start + page * pageBytes);
    window.load(reference.memory, start, (page) => wanted[page] === 1 && isThere(page), isThere);
    known.forget();
    for (const [of, state] of states.entries()) {
      const pages = looks[of] ?? [];
      lookAtPages(tools, state, pages, start, () => {
        done += 1;
        rest(pagesMs * (1 - done / total));
      });
    }
    onProgress?.(index + 1, starts.length);
  }
  // Before the owners, for which a census may have to be waited for.
  const looked = states.map((state, index) => {
    const other = state.shares === null ? undefined : states[(index + 1) % states.length];
    const isAlone = other === undefined || other === state;
    return { state, freshPages: freshPagesOf(state, isAlone ? null : other.subject, pageBytes) };
  });
  return looked.map(({ state, freshPages }) => {
    state.shares?.finish();
    return finished(state, freshPages);
  });
}

/** For each page of a window: 1 if the reference's page is needed. */
function pagesToRead(
  looks: readonly PageToLookAt[],
  start: number,
  pools: PoolIndex,
  chunks: HeapChunks | null,
  pageBytes: number,
): Uint8Array {
  const wanted = new Uint8Array(WINDOW_BYTES / pageBytes);
  for (const { address } of looks) {
    const span = surroundings(address, pageBytes, pools, chunksAt(chunks, address));
    const first = Math.max(0, Math.floor((span.start - start) / pageBytes));
    wanted.fill(1, first, Math.ceil((span.end - start) / pageBytes));
  }
  return wanted;
}

function beginWorker(
  reference: Reference,
  subject: Subject,
  pageBytes: number,
  rest: (part: number) => void,
): ComparedWorker {
  const map: RegionMap[] = [];
  const byWindow = new Map<number, RegionMap[]>();
  const common = commonRegions(reference.mappings, subject.mappings);
  for (const [index, region] of common.entries()) {
    const theirs = reference.entries(region.start, region.end);
    const mine = subject.entries(region.start, region.end);
    const codes = new Uint8Array(mine.count);
    const counts = new Uint32Array(256);
    const regionMap = { region, codes, counts, owners: new Int32Array(mine.count).fill(-1) };
    let latest = -1;
    for (let page = 0; page < codes.length; page += 1) {
      const state = pageState(theirs, mine, page);
      const code = state === 'unshared' ? TO_LOOK_AT : PAGE_CODES.indexOf(state);
      codes[page] = code;
      counts[code] = (counts[code] ?? 0) + 1;
      if (page % PAGES_A_STRETCH === 0) rest((index + page / codes.length) / common.length);
      if (state !== 'unshared') continue;
      const window = Math.floor((region.start + page * pageBytes) / WINDOW_BYTES) * WINDOW_BYTES;
      if (window === latest) continue;
      latest = window;
      const there = byWindow.get(window);
      if (there === undefined) byWindow.set(window, [regionMap]);
      else there.push(regionMap);
    }
    if (counts[ABSENT] !== codes.length) map.push(regionMap);
  }
  return {
    subject,
    tally: new OwnerTally(),
    words: new Float64Array(CAUSE_NAMES.length),
    common,
    map,
    byWindow,
    shares: null,
    unreadable: 0,
  };
}

function unsharedPagesOf({ map }: ComparedWorker): number {
  return map.reduce((sum, { counts }) => sum + (counts[TO_LOOK_AT] ?? 0), 0);
}

/** The states of this many pages are determined in less than a millisecond. */
const PAGES_A_STRETCH = 1024;

interface Tools {
  readonly known: ReferenceWindow;
  readonly workerWindow: MemoryWindow;
  readonly chunks: HeapChunks | null;
  readonly owners: PageOwners;
  readonly pageBytes: number;
}

interface PageToLookAt {
  readonly map: RegionMap;
  /** Its index in the map's region. */
  readonly page: number;
  readonly address: number;
}

function pagesOfWindow(state: ComparedWorker, start: number, pageBytes: number): PageToLookAt[] {
  return (state.byWindow.get(start) ?? []).flatMap((map) =>
    pagesToLookAt(map, start, pageBytes).map((page) => ({ map, page, address: map.region.start + page * pageBytes })),
  );
}

function pagesToLookAt({ region, codes }: RegionMap, start: number, pageBytes: number): number[] {
  const first = Math.max(0, (start - region.start) / pageBytes);
  const end = Math.min(codes.length, (start + WINDOW_BYTES - region.start) / pageBytes);
  const pages: number[] = [];
  for (let page = first; page < end; page += 1) if (codes[page] === TO_LOOK_AT) pages.push(page);
  return pages;
}

/** For each page of a window: 1 if the worker has it. */
function pagesThere(maps: readonly RegionMap[], start: number, pageBytes: number): Uint8Array {
  const there = new Uint8Array(WINDOW_BYTES / pageBytes);
  for (const { region, codes } of maps) {
    const offset = (start - region.start) / pageBytes;
    for (let page = Math.max(0, -offset); page < there.length && offset + page < codes.length; page += 1) {
      const code = codes[offset + page];
      if (code !== ABSENT && code !== RELEASED) there[page] = 1;
    }
  }
  return there;
}

function lookAtPages(
  tools: Tools,
  state: ComparedWorker,
  pages: readonly PageToLookAt[],
  start: number,
  onPage: () => void,
): void {
  if (pages.length === 0) return;
  const { known, workerWindow, chunks, owners, pageBytes } = tools;
  const wanted = new Set(pages.map(({ address }) => (address - start) / pageBytes));
  const there = pagesThere(state.byWindow.get(start) ?? [], start, pageBytes);
  const failed = workerWindow.load(
    state.subject.memory,
    start,
    (page) => wanted.has(page),
    (page) => there[page] === 1,
  );
  state.unreadable += failed.length;
  for (const { map, page, address } of pages) {
    let cause = RANK.unknown;
    if (!failed.includes((address - start) / pageBytes)) {
      cause = pageCause({
        reference: known,
        worker: workerWindow,
        region: map.region,
        chunks: chunksAt(chunks, address),
        address,
        pageBytes,
        tally: state.tally,
        owners: state.shares === null ? null : owners,
        words: state.words,
      });
      state.shares?.add(owners, causeOfRank(cause), address, { owners: map.owners, page });
    }
    setCode(map, page, PAGE_CODES.length + cause);
    onPage();
  }
}

interface FreshPages {
  readonly fresh: number;
  readonly alikePart: number | null;
}

function freshPagesOf(state: ComparedWorker, other: Subject | null, pageBytes: number): FreshPages {
  const own = freshRuns(state, pageBytes);
  return {
    fresh: own.reduce((sum, { start, end }) => sum + (end - start) / pageBytes, 0),
    alikePart: other === null ? null : alikePart(state.subject, other, own, pageBytes),
  };
}

function finished(state: ComparedWorker, { fresh, alikePart: freshAlikePart }: FreshPages): WorkerComparison {
  const of = (code: number): number => state.map.reduce((sum, { counts }) => sum + (counts[code] ?? 0), 0);
  const causes = CAUSE_NAMES.map((_, rank) => of(PAGE_CODES.length + rank));
  const unshared = causes.reduce((sum, count) => sum + count, 0);
  const [shared, released] = [of(SHARED), of(RELEASED)];
  return {
    pid: state.subject.pid,
    pages: { sharedAtFork: shared + unshared, shared, unshared, fresh, released },
    causes: byCause(causes),
    words: byCause(state.words),
    owners: state.tally.owners(),
    map: state.map,
    ownerNames: state.tally.names(),
    unreadable: state.unreadable,
    freshAlikePart,
  };
}

/** Turns counts by rank into counts by name. */
function byCause(counts: ArrayLike<number>): CauseCounts {
  return Object.fromEntries(CAUSE_NAMES.map((cause, rank) => [cause, counts[rank] ?? 0])) as CauseCounts;
}

/** The worker's anonymous pages without a page in the reference, in memory that both or only the worker have mapped. */
function freshRuns({ subject, common, map }: ComparedWorker, pageBytes: number): Span[] {
  const runs: Span[] = [];
  const add = (start: number, count: number, isFresh: (page: number) => boolean): void => {
    for (let page = 0; page < count; page += 1) {
      if (!isFresh(page)) continue;
      const first = page;
      while (page + 1 < count && isFresh(page + 1)) page += 1;
      runs.push({ start: start + first * pageBytes, end: start + (page + 1) * pageBytes });
    }
  };
  for (const { region, codes, counts } of map) {
    if (counts[FRESH] !== 0) add(region.start, codes.length, (page) => codes[page] === FRESH);
  }
  for (const { start, end } of uncommon(subject.mappings, common)) {
    const entries = subject.entries(start, end);
    add(start, entries.count, (page) => entries.isAnonymous(page));
  }
  return runs;
}
