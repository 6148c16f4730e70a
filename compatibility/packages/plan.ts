/** What is run, and in which order. Pure. */
import type { Package } from './list.ts';

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

/** What is known of a task: no result, one with differences, a good one; and whether it is of the present sources. */
export interface Known {
  readonly result: 'none' | 'differs' | 'good';
  readonly isPresent: boolean;
}

/**
 * Tasks without a result of the present sources: first those that have none at all, then those that differed, then the
 * rest. The newest interpreter goes first, since most can go wrong there.
 */
export function toRun(tasks: readonly Task[], knownOf: (task: Task) => Known, again: boolean): Task[] {
  const minor = (task: Task): number => Number(task.python.split('.')[1]);
  return tasks
    .map((task) => ({ task, ...knownOf(task) }))
    .filter(({ result, isPresent }) => again || result === 'none' || !isPresent)
    .sort((a, b) => ORDER.indexOf(a.result) - ORDER.indexOf(b.result) || minor(b.task) - minor(a.task))
    .map(({ task }) => task);
}

const ORDER: readonly Known['result'][] = ['none', 'differs', 'good'];
