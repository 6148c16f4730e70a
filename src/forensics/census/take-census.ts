/** Takes the census of a process from outside: it reads the process's memory and runs nothing in it. */
import { monotonicClock } from '../../base/clock.ts';
import { TypeTable } from '../../cpython/types-outside.ts';
import { mappingAt } from '../../procfs/maps.ts';
import { Census } from '../owners/census.ts';
import type { Subject } from '../pages/subject.ts';
import { CensusBudget, type CensusLimits, CensusStopped, limitsFor } from './census-budget.ts';
import { CensusWalk } from './census-walk.ts';
import { Extents } from './extents.ts';
import { LoadedModules } from './loaded-modules.ts';
import { FRAME_BYTES, type HeldMemory, MemoryImage } from './memory-image.ts';
import { ObjectFinder, Pools } from './object-finder.ts';
import { ObjectKinds } from './object-kinds.ts';
import { PageTally } from './page-tally.ts';
import { type ReadableMemory, readableMemory } from './readable-memory.ts';
import { Referents } from './referents.ts';
import { staticTypeDicts } from './static-type-dicts.ts';
import { visitTracked } from './tracked-objects.ts';

/** The process's memory that is held at a time. More of it only if the same parts are read again and again. */
function heldOf(bytes: number): HeldMemory {
  return { atFirst: 32 << 20, most: Math.min(512 << 20, Math.max(64 << 20, bytes / 4)) };
}

/** Version 3.9 has other layouts. */
export const OLDEST_MINOR = 10;
/** The interpreter's own data take up to 2 MiB. */
const MOST_DATA_BYTES = 64 << 20;

export interface CensusCost {
  readonly steps: number;
  readonly heldBytes: number;
  /** How many bytes were read, and how many the process has. */
  readonly readBytes: number;
  readonly bytes: number;
  readonly swappedBytes: number;
}

export interface CensusOptions {
  /** Of Python 3. */
  readonly minor: number;
  readonly pageBytes: number;
  readonly limits?: CensusLimits;
  readonly held?: HeldMemory;
  /** Called often during the walk with the estimated part of it that is done, below 1. */
  readonly onProgress?: ((part: number, bytes: number) => void) | undefined;
  readonly onCost?: (cost: CensusCost) => void;
}

export type CensusOutcome =
  | { readonly census: Census; readonly problem: null }
  /** `problem` says why there is none. */
  | { readonly census: null; readonly problem: string };

/** Takes a census, or says why there is none. Whatever the memory holds, it returns. */
export function tryCensus(subject: Subject, options: CensusOptions): CensusOutcome {
  if (options.minor < OLDEST_MINOR) {
    return { census: null, problem: `a census needs Python 3.${OLDEST_MINOR} or newer` };
  }
  try {
    return { census: takeCensus(subject, options), problem: null };
  } catch (error) {
    // Another error than CensusStopped is one of this code, met in memory of a kind that nobody thought of. It costs
    // the census only.
    const problem = error instanceof CensusStopped ? error.message : `the walk failed (${String(error)})`;
    return { census: null, problem };
  }
}

/**
 * @param subject a process with a GIL build of CPython 3.10 to 3.15. If it runs meanwhile, some objects have the owners
 *   of before, or none.
 * @throws CensusStopped
 */
export function takeCensus(subject: Subject, options: CensusOptions): Census {
  const { pageBytes, onProgress } = options;
  const memory = readableMemory(subject, pageBytes);
  const onStretch = (steps: number): void => onProgress?.(partDone(steps, memory.bytes), memory.bytes);
  const budget = new CensusBudget(options.limits ?? limitsFor(memory.bytes), monotonicClock, onStretch);
  const image = new MemoryImage(subject, memory, pageBytes, budget, options.held ?? heldOf(memory.bytes));
  const tally = new PageTally(image, pageBytes, budget);
  try {
    walkObjects(subject, options.minor, { image, tally, budget });
    return new Census(tally.finish());
  } finally {
    options.onCost?.(costOf(memory, image, budget));
  }
}

interface Means {
  readonly image: MemoryImage;
  readonly tally: PageTally;
  readonly budget: CensusBudget;
}

function walkObjects(subject: Subject, minor: number, { image, tally, budget }: Means): void {
  const { mappings } = subject;
  const isReadable = (address: number): boolean => mappingAt(mappings, address)?.readable === true;
  const pools = new Pools(image);
  const types = new TypeTable(image, minor, isReadable, isReadable);
  const kinds = new ObjectKinds(image, types, minor, budget, (unit) => pools.blockUnits(unit) === 0);
  const finder = new ObjectFinder(image, pools, kinds);
  const extents = new Extents(image, minor, pools, kinds, finder);
  const loaded = new LoadedModules({ image, minor, finder, pools, types, budget });
  const modules = loaded.all();
  const sys = modules?.find(({ name }) => name === 'sys');
  if (modules === null || sys === undefined) throw new CensusStopped('sys.modules was not found in its memory');
  const data = dataOfInterpreter(subject, image, finder.kindAt(sys.unit)?.unit ?? 0);
  const staticDicts = staticTypeDicts(image, minor, kinds, finder, data);
  const textOf = (unit: number): string | null => loaded.text(unit);
  const walk = new CensusWalk({ image, finder, kinds, extents, tally, modules, budget, textOf });
  const referents = new Referents(image, minor, extents, staticDicts, walk.meet);
  walk.run(
    (unit, kind) => referents.visit(unit, kind),
    (visit) => visitTracked(image, sys.unit, (unit) => finder.typeAt(unit) >= 0, visit),
  );
}

/** A walk takes about one or two steps for each 8 bytes. If it takes more, it approaches the end more and more slowly. */
function partDone(steps: number, bytes: number): number {
  const expected = Math.max(1, bytes / 5);
  return steps / (steps + Math.max(expected - steps, expected / 10));
}

function costOf(memory: ReadableMemory, image: MemoryImage, { steps, heldBytes }: CensusBudget): CensusCost {
  const { bytes, swappedBytes } = memory;
  return { steps, heldBytes, readBytes: image.reads * FRAME_BYTES, bytes, swappedBytes };
}

/** The mapping of a static type of the interpreter, and what follows it without a gap: the interpreter's data. */
function dataOfInterpreter(
  { mappings }: Subject,
  image: MemoryImage,
  type: number,
): (readonly [first: number, end: number])[] {
  let end = mappingAt(mappings, image.addressOf(type))?.start ?? 0;
  let left = MOST_DATA_BYTES;
  const parts: (readonly [number, number])[] = [];
  for (let each = mappingAt(mappings, end); each?.writable === true && left > 0; each = mappingAt(mappings, end)) {
    const first = image.unitAtAddress(each.start);
    const bytes = Math.min(left, each.end - each.start);
    if (first !== 0) parts.push([first, first + bytes / 8]);
    left -= bytes;
    end = each.end;
  }
  return parts;
}
