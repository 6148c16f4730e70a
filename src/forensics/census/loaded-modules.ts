/** The modules of a process, found through `sys.modules` in the order in which their imports were completed. */
import type { TypeTable } from '../../cpython/types-outside.ts';
import { heapTypeFields, moduleFields } from '../../cpython/reference-layout.ts';
import { POOL_HEADER_BYTES } from '../../cpython/pymalloc.ts';
import type { CensusBudget } from './census-budget.ts';
import { KeyTableReader, keysOf } from './dict-tables.ts';
import { InstanceValues } from './instance-values.ts';
import { PIECE_UNITS, type MemoryImage } from './memory-image.ts';
import * as kinds from './object-kinds.ts';
import { POOL_UNITS, type ObjectFinder, type Pools } from './object-finder.ts';
import { itemOf } from './referents.ts';

export interface LoadedModule {
  readonly name: string;
  readonly unit: number;
  /** The unit of the module's dict; 0 if it is no module: any object may be in `sys.modules`. */
  readonly namespace: number;
}

const LONGEST_NAME = 256;
/** About what a module takes in lists, with its name. */
const MODULE_BYTES = 512;
const GC_HEAD_UNITS = 2;
/** Blocks of modules have 80 bytes, in 3.15 128. */
const SMALLEST_MODULE_UNITS = 8;
const LARGEST_MODULE_UNITS = 24;
const OB_DIGIT_UNITS = 3;

export interface ModulesInputs {
  readonly image: MemoryImage;
  readonly minor: number;
  readonly finder: ObjectFinder;
  readonly pools: Pools;
  readonly types: TypeTable;
  readonly budget: CensusBudget;
}

export class LoadedModules {
  readonly #image: MemoryImage;
  readonly #minor: number;
  readonly #finder: ObjectFinder;
  readonly #pools: Pools;
  readonly #types: TypeTable;
  readonly #budget: CensusBudget;
  readonly #fields: ReturnType<typeof moduleFields>;

  constructor({ image, minor, finder, pools, types, budget }: ModulesInputs) {
    this.#image = image;
    this.#minor = minor;
    this.#finder = finder;
    this.#pools = pools;
    this.#types = types;
    this.#budget = budget;
    this.#fields = moduleFields(minor);
  }

  /** Null if `sys` can't be found. The order of completion; unfinished modules come last, the innermost first. */
  all(): LoadedModule[] | null {
    const modules = this.#sysModules();
    if (modules === 0) return null;
    const completed: LoadedModule[] = [];
    const unfinished: LoadedModule[] = [];
    const keys = new KeyTableReader(this.#image, this.#minor);
    keys.read(keysOf(this.#image, modules));
    keys.each((key, value) => {
      const name = this.text(key);
      const kind = this.#finder.kindAt(value);
      if (name === null || kind === null || kind.name === 'NoneType') return;
      this.#budget.hold(MODULE_BYTES);
      const namespace = kind.references === kinds.MODULE ? this.#namespaceOf(value) : 0;
      const isUnfinished = name === '__main__' || this.#isInitializing(namespace);
      (isUnfinished ? unfinished : completed).push({ name, unit: value, namespace });
    });
    return [...completed, ...unfinished.toReversed()];
  }

  /** The text of the string in a unit, if it is a name; else null. */
  text(unit: number): string | null {
    return unit === 0 ? null : this.#types.nameAt(this.#image.addressOf(unit), LONGEST_NAME);
  }

  #namespaceOf(module: number): number {
    const dict = this.#image.pointee(module + this.#fields.dict / 8);
    return this.#finder.kindAt(dict)?.references === kinds.DICT ? dict : 0;
  }

  #item(dict: number, name: string): number {
    return itemOf(this.#image, this.#minor, dict, (key) => this.text(key) === name);
  }

  /** The dict `sys.modules`; 0 if it can't be found. */
  #sysModules(): number {
    // The first arenas are at the highest addresses, since the kernel maps downwards.
    for (let piece = this.#image.pieces - 1; piece > 0; piece -= 1) {
      for (let pool = piece * PIECE_UNITS; pool < (piece + 1) * PIECE_UNITS; pool += POOL_UNITS) {
        const blockUnits = this.#pools.blockUnits(pool);
        if (blockUnits < SMALLEST_MODULE_UNITS || blockUnits > LARGEST_MODULE_UNITS) continue;
        const found = this.#sysModulesIn(pool, blockUnits);
        if (found !== 0) return found;
      }
    }
    return 0;
  }

  #sysModulesIn(pool: number, blockUnits: number): number {
    const end = pool + POOL_UNITS - blockUnits;
    for (let block = pool + POOL_HEADER_BYTES / 8; block <= end; block += blockUnits) {
      const unit = block + GC_HEAD_UNITS;
      if (this.#finder.kindAt(unit)?.references !== kinds.MODULE) continue;
      if (this.text(this.#image.pointee(unit + this.#fields.name / 8)) !== 'sys') continue;
      const modules = this.#item(this.#namespaceOf(unit), 'modules');
      // A module of that name may be something else than the interpreter's own.
      if (modules !== 0 && this.#item(modules, 'sys') === unit) return modules;
    }
    return 0;
  }

  /** Set while a module is loaded (`_load_unlocked`, Lib/importlib/_bootstrap.py). */
  #isInitializing(namespace: number): boolean {
    const spec = namespace === 0 ? 0 : this.#item(namespace, '__spec__');
    const kind = this.#finder.kindAt(spec);
    if (kind === null || !kind.isHeapType || kind.name !== 'ModuleSpec') return false;
    const value = this.#attribute(spec, '_initializing');
    return this.#finder.kindAt(value)?.name === 'bool' && this.#image.low(value + OB_DIGIT_UNITS) === 1;
  }

  /** The value of an instance's attribute; 0 if it is not found. */
  #attribute(unit: number, name: string): number {
    const kind = this.#finder.kindAt(unit);
    if (kind === null) return 0;
    const values = new InstanceValues(this.#image, this.#minor);
    const first = values.of(unit, kind);
    if (first === 0) return this.#item(this.#dictOf(unit, values), name);
    const keys = new KeyTableReader(this.#image, this.#minor);
    if (!keys.read(this.#image.pointee(kind.unit + heapTypeFields(this.#minor).cachedKeys / 8))) return 0;
    for (let entry = 0; entry < keys.entries; entry += 1) {
      const key = this.#image.pointee(keys.firstUnit + entry * keys.entryUnits + keys.keyUnit);
      if (this.text(key) === name) return this.#image.pointee(first + entry);
    }
    return 0;
  }

  /** The dict of an instance. Before 3.11 it is the first field of a class without other fields. */
  #dictOf(unit: number, values: InstanceValues): number {
    const kind = this.#finder.kindAt(unit);
    if (kind === null) return 0;
    const dict = kind.hasManagedDict ? values.dictOf(unit, kind) : this.#image.pointee(unit + 2);
    return this.#finder.kindAt(dict)?.references === kinds.DICT ? dict : 0;
  }
}
