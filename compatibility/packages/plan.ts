/** What is run, and in which order. Pure. */
import type { Package } from './list.ts';
import type { Observation } from './observation.ts';

export interface Task {
  readonly package: Package;
  /** Such as "3.13". */
  readonly python: string;
}

export interface Wishes {
  /** Names of packages; all of the list where there are none. */
  readonly packages: readonly string[];
  /** Such as "3.13"; all that were found where there are none. */
  readonly pythons: readonly string[];
  /** Run again what has a result. */
  readonly again: boolean;
}

/** The variables PACKAGES, PYTHONS and AGAIN; words are separated by blanks or commas. */
export function wishesOf(environment: Readonly<Record<string, string | undefined>>): Wishes {
  const words = (name: string): string[] => (environment[name] ?? '').split(/[\s,]+/).filter((word) => word !== '');
  return { packages: words('PACKAGES'), pythons: words('PYTHONS'), again: environment['AGAIN'] === '1' };
}

/** Throws for a name that the list has not, or an interpreter that is not there. */
export function chosen(packages: readonly Package[], found: readonly string[], wishes: Wishes): Task[] {
  const names = new Set(packages.map((each) => each.name.toLowerCase()));
  const unknown = wishes.packages.filter((name) => !names.has(name.toLowerCase()));
  if (unknown.length > 0) throw new Error(`not in packages.toml: ${unknown.join(', ')}`);
  const missing = wishes.pythons.filter((python) => !found.includes(python));
  if (missing.length > 0) throw new Error(`no such interpreter found: ${missing.join(', ')}`);
  const wanted = new Set(wishes.packages.map((name) => name.toLowerCase()));
  const pythons = wishes.pythons.length === 0 ? found : wishes.pythons;
  return packages
    .filter((each) => wanted.size === 0 || wanted.has(each.name.toLowerCase()))
    .flatMap((each) =>
      pythons.filter((python) => each.not_for[python] === undefined).map((python) => ({ package: each, python })),
    );
}

/**
 * Tasks that have no result of the present sources: first those that have none at all, then those of older sources.
 * The newest interpreter goes first, since most can go wrong there.
 */
export function toRun(
  tasks: readonly Task[],
  resultOf: (task: Task) => Observation | null,
  fingerprintOf: (task: Task) => string,
  again: boolean,
): Task[] {
  const rank = (task: Task): number => {
    const result = resultOf(task);
    if (result === null) return 0;
    return again || result.fingerprint !== fingerprintOf(task) ? 1 : 2;
  };
  const ranked = tasks.map((task) => ({ task, rank: rank(task) })).filter((each) => each.rank < 2);
  const minor = (task: Task): number => Number(task.python.split('.')[1]);
  return ranked.sort((a, b) => a.rank - b.rank || minor(b.task) - minor(a.task)).map((each) => each.task);
}
