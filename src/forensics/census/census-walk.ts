/**
 * The walk of a census over memory read from outside.
 *
 * An object's owner is the module that holds it. Objects don't say which: a table's rows are dicts and strings like all
 * others. So modules are walked one after the other, in the order in which their imports were completed. What a module reaches and
 * no earlier one did belongs to it. The walk goes from no module into another, nor into another's namespace, which every
 * function refers to. Functions and classes belong to the module
 * that they name, wherever they were met. Tracked objects that no module reaches belong to null.
 */
import { FUNCTION_MODULE } from '../../cpython/object-layout.ts';
import type { CensusBudget } from './census-budget.ts';
import type { Extents } from './extents.ts';
import { KEYS } from './extents.ts';
import type { LoadedModule } from './loaded-modules.ts';
import type { MemoryImage } from './memory-image.ts';
import type { ObjectFinder } from './object-finder.ts';
import type { ObjectKind, ObjectKinds } from './object-kinds.ts';
import type { PageTally } from './page-tally.ts';

/** The module number of objects that no module holds. */
const NOBODY = -1;
/** A function or class that names no module of `sys.modules`. */
const UNKNOWN_MODULE = -2;
const NOT_ASKED = -3;
/** What one unit in a list takes. */
const PENDING_BYTES = 16;

export interface WalkInputs {
  readonly image: MemoryImage;
  readonly finder: ObjectFinder;
  readonly kinds: ObjectKinds;
  readonly extents: Extents;
  readonly tally: PageTally;
  readonly modules: readonly LoadedModule[];
  readonly budget: CensusBudget;
  /** The text of the string in a unit; null if it is no name. */
  readonly textOf: (unit: number) => string | null;
}

export class CensusWalk {
  readonly #inputs: WalkInputs;
  readonly #image: MemoryImage;
  /** A bit for each two units: no two objects begin within the same 16 bytes. */
  readonly #met: Uint32Array;
  #stack = new Uint32Array(1 << 16);
  #height = 0;
  #module = NOBODY;
  /** Functions and classes that were met outside of their own module. */
  readonly #pending: number[][];
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [];
  readonly #saidByString = new Map<number, number>();
  readonly #tallyTypes: number[] = [];
  readonly #tableTypes: readonly number[];

  constructor(inputs: WalkInputs) {
    this.#inputs = inputs;
    this.#image = inputs.image;
    inputs.budget.hold(inputs.image.units / 16);
    this.#met = new Uint32Array(Math.ceil(inputs.image.units / 64));
    this.#pending = [];
    const { tally } = inputs;
    this.#tableTypes = [0, tally.typeNumber('(keys of dicts)'), tally.typeNumber('(memory of no object)')];
  }

  /**
   * @param visit lists what an object refers to, by calling {@link meet}
   * @param unreached calls back with every tracked object
   */
  run(visit: (unit: number, kind: ObjectKind) => void, unreached: (each: (unit: number) => void) => void): void {
    const roots = this.#markRoots();
    for (const [number, units] of roots.entries()) this.#walk(number, units, visit);
    this.#walkPending(visit);
    this.#module = NOBODY;
    unreached(this.meet);
    this.#walk(NOBODY, [], visit);
    this.#walkPending(visit);
  }

  /** Meets what a reference points to: an object that is new is counted later. */
  readonly meet = (unit: number): void => {
    if (unit === 0 || this.#isMet(unit)) return;
    const type = this.#inputs.finder.typeAt(unit);
    if (type < 0) return;
    this.#mark(unit);
    const said = this.#moduleSaidBy(unit, this.#inputs.kinds.kindOf(type));
    if (said < 0 || said === this.#module) this.#push(unit);
    else {
      this.#inputs.budget.hold(PENDING_BYTES);
      (this.#pending[said] ??= []).push(unit);
    }
  };

  /** Marks each module and its namespace as met, so that no other module can claim them. */
  #markRoots(): number[][] {
    const byUnit = new Map<number, number>();
    const roots: number[][] = [];
    for (const { name, unit, namespace } of this.#inputs.modules) {
      const known = byUnit.get(unit);
      // Another name of the same module, as os.path is.
      this.#numbers.set(name, known ?? roots.length);
      if (known !== undefined) continue;
      byUnit.set(unit, roots.length);
      this.#names.push(name);
      const root = (namespace === 0 ? [unit] : [unit, namespace]).filter((each) => !this.#isMet(each));
      for (const each of root) this.#mark(each);
      roots.push(root);
    }
    return roots;
  }

  #walkPending(visit: (unit: number, kind: ObjectKind) => void): void {
    for (;;) {
      this.#inputs.budget.spend(this.#pending.length);
      const number = this.#pending.findIndex((units) => units !== undefined && units.length > 0);
      if (number < 0) return;
      this.#walk(number, [], visit);
    }
  }

  #walk(module: number, roots: readonly number[], visit: (unit: number, kind: ObjectKind) => void): void {
    const { finder, kinds, tally } = this.#inputs;
    this.#module = module;
    tally.begin(module < 0 ? null : (this.#names[module] ?? null));
    for (const unit of roots) this.#push(unit);
    for (const unit of this.#pending[module] ?? []) this.#push(unit);
    if (module >= 0) this.#pending[module] = [];
    while (this.#height > 0) {
      this.#height -= 1;
      const unit = this.#stack[this.#height] ?? 0;
      const type = finder.typeAt(unit);
      if (type < 0) continue;
      const kind = kinds.kindOf(type);
      this.#count(unit, kind);
      visit(unit, kind);
    }
  }

  #count(unit: number, kind: ObjectKind): void {
    const { extents, tally } = this.#inputs;
    tally.objects += 1;
    const bytes = kind.prefixUnits * 8 + extents.bodyBytes(unit, kind);
    tally.add(unit - kind.prefixUnits, bytes, (this.#tallyTypes[kind.number] ??= tally.typeNumber(kind.name)));
    const table = extents.table(unit, kind);
    if (table !== 0 && extents.tableBytes > 0) {
      tally.add(extents.tableUnit, extents.tableBytes, this.#tableTypes[table] ?? this.#tableTypes[KEYS] ?? 0);
    }
  }

  /** The number of the module that a function or a class names; negative for other objects and unknown modules. */
  #moduleSaidBy(unit: number, kind: ObjectKind): number {
    if (kind.isFunction) {
      const name = this.#image.pointee(unit + FUNCTION_MODULE[1] / 8);
      let said = this.#saidByString.get(name) ?? NOT_ASKED;
      if (said === NOT_ASKED) this.#saidByString.set(name, (said = this.#numberOf(this.#inputs.textOf(name))));
      return said;
    }
    if (!kind.isMetatype) return UNKNOWN_MODULE;
    return this.#numberOf(this.#inputs.extents.kindOfType(unit)?.type.module ?? null);
  }

  #numberOf(name: string | null): number {
    return name === null ? UNKNOWN_MODULE : (this.#numbers.get(name) ?? UNKNOWN_MODULE);
  }

  #push(unit: number): void {
    if (this.#height === this.#stack.length) {
      this.#inputs.budget.hold(this.#stack.byteLength);
      const larger = new Uint32Array(this.#stack.length * 2);
      larger.set(this.#stack);
      this.#stack = larger;
    }
    this.#stack[this.#height] = unit;
    this.#height += 1;
  }

  #isMet(unit: number): boolean {
    return ((this.#met[unit >>> 6] ?? 0) & (1 << ((unit >>> 1) & 31))) !== 0;
  }

  #mark(unit: number): void {
    this.#met[unit >>> 6] = (this.#met[unit >>> 6] ?? 0) | (1 << ((unit >>> 1) & 31));
  }
}
