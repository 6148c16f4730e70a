/** Decides what is run, and in which order. Pure. */
import type { Package } from './list.ts';

export interface Task {
  readonly package: Package;
  /** Such as "3.13". */
  readonly python: string;
}

export interface Wishes {
  /** Names of packages; empty for the whole list. */
  readonly packages: readonly string[];
  /** Interpreters such as "3.13"; empty for all that were found. */
  readonly pythons: readonly string[];
  /** Whether to run tasks again that have a result. */
  readonly again: boolean;
}

/** Reads the variables PACKAGES, PYTHONS and AGAIN. Words are separated by blanks or commas. */
export function wishesOf(environment: Readonly<Record<string, string | undefined>>): Wishes {
  const words = (name: string): string[] => (environment[name] ?? '').split(/[\s,]+/).filter((word) => word !== '');
  return { packages: words('PACKAGES'), pythons: words('PYTHONS'), again: environment['AGAIN'] === '1' };
}

/** The chosen tasks. Throws for a name that is not in the list, or an interpreter that was not found. */
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

/** What is known of a task: no result, one with differences, or a good one; and whether the sources are unchanged. */
export interface Known {
  readonly result: 'none' | 'differs' | 'good';
  readonly isPresent: boolean;
}

/**
 * Tasks without a result of the current sources: first those without any result, then those that differed, then the
 * rest. The newest interpreter goes first, since it is the most likely to fail.
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
