/** Takes the census of a process from outside: it reads the process's memory and runs nothing in it. */
import { TypeTable } from '../../cpython/types-outside.ts';
import { mappingAt } from '../../procfs/maps.ts';
import type { Census } from '../owners/census.ts';
import type { Subject } from '../pages/subject.ts';
import { CensusWalk } from './census-walk.ts';
import { Extents } from './extents.ts';
import { LoadedModules } from './loaded-modules.ts';
import { FRAME_BYTES, MemoryImage } from './memory-image.ts';
import { ObjectFinder, Pools } from './object-finder.ts';
import { ObjectKinds } from './object-kinds.ts';
import { PageTally } from './page-tally.ts';
import { Referents } from './referents.ts';
import { staticTypeDicts } from './static-type-dicts.ts';
import { visitTracked } from './tracked-objects.ts';

/** 64 MiB of the process's memory are held at a time. */
const MOST_BYTES = 64 << 20;

export interface CensusTiming {
  /** Milliseconds from the start to the end of each step. */
  readonly read: number;
  readonly prepare: number;
  readonly walk: number;
  readonly finish: number;
  readonly imageBytes: number;
  /** How many times a part of the memory was read, and how many bytes these are. */
  readonly reads: number;
  readonly readBytes: number;
}

export interface Version {
  readonly minor: number;
  /** "3.13.0". */
  readonly version: string;
}

/**
 * @param subject a process with a GIL build of CPython 3.10 to 3.15, which does not run meanwhile
 * @param onTiming told what the steps took
 * @throws Error if `sys.modules` can't be found
 */
export function takeCensus(
  subject: Subject,
  { minor, version }: Version,
  pageBytes: number,
  mostBytes = MOST_BYTES,
  onTiming?: (timing: CensusTiming) => void,
): Census {
  const started = performance.now();
  const { mappings } = subject;
  const image = new MemoryImage(subject, pageBytes, mostBytes);
  const read = performance.now();
  const isReadable = (address: number): boolean => mappingAt(mappings, address)?.readable === true;
  const pools = new Pools(image);
  const types = new TypeTable(image, minor, isReadable, isReadable);
  const kinds = new ObjectKinds(image, types, minor, (unit) => pools.blockUnits(unit) === 0);
  const finder = new ObjectFinder(image, pools, kinds);
  const extents = new Extents(image, minor, pools, kinds, finder);
  const loaded = new LoadedModules(image, minor, finder, pools, types);
  const modules = loaded.all();
  const sys = modules?.find(({ name }) => name === 'sys');
  if (modules === null || sys === undefined) throw new Error('sys.modules was not found');
  const staticDicts = staticTypeDicts(
    image,
    minor,
    kinds,
    finder,
    dataOfInterpreter(subject, image, finder.kindAt(sys.unit)?.unit ?? 0),
  );
  const prepared = performance.now();
  const tally = new PageTally(image, pageBytes);
  const walk = new CensusWalk({ image, finder, kinds, extents, tally, modules, textOf: (unit) => loaded.text(unit) });
  const referents = new Referents(image, minor, extents, staticDicts, walk.meet);
  walk.run(
    (unit, kind) => referents.visit(unit, kind),
    (visit) => visitTracked(image, sys.unit, (unit) => finder.typeAt(unit) >= 0, visit),
  );
  const walked = performance.now();
  const vdso = mappings.find((mapping) => mapping.path === '[vdso]')?.start ?? null;
  const census = tally.finish({ vdso, python_version: version, seconds: (performance.now() - started) / 1000 });
  onTiming?.({
    read: read - started,
    prepare: prepared - read,
    walk: walked - prepared,
    finish: performance.now() - walked,
    imageBytes: image.bytes,
    reads: image.reads,
    readBytes: image.reads * FRAME_BYTES,
  });
  return census;
}

/** The mapping of a static type of the interpreter, and what follows it without a gap: the interpreter's data. */
function dataOfInterpreter(
  { mappings }: Subject,
  image: MemoryImage,
  type: number,
): (readonly [first: number, end: number])[] {
  let end = mappingAt(mappings, image.addressOf(type))?.start ?? 0;
  const parts: (readonly [number, number])[] = [];
  for (let each = mappingAt(mappings, end); each?.writable === true; each = mappingAt(mappings, end)) {
    const first = image.unitAtAddress(each.start);
    if (first !== 0) parts.push([first, first + (each.end - each.start) / 8]);
    end = each.end;
  }
  return parts;
}
