/** The summary of all results. Pure. */
import type { Task } from './plan.ts';
import type { Verdict } from './verdict.ts';

export interface Judged {
  readonly task: Task;
  readonly verdict: Verdict;
}

export interface Summary {
  /** Packages with a result. */
  readonly packages: number;
  /** Packages served on every interpreter that they have a result for; the same for `reforked`. */
  readonly served: number;
  readonly reforked: number;
  /** Over all packages and interpreters. */
  readonly differences: number;
  /** Exceptions of the list that were needed. */
  readonly named_exceptions: number;
}

export function summarize(judged: readonly Judged[]): Summary {
  const byPackage = new Map<string, Judged[]>();
  for (const each of judged) {
    const { name } = each.task.package;
    byPackage.set(name, [...(byPackage.get(name) ?? []), each]);
  }
  const all = (is: (verdict: Verdict) => boolean): number =>
    [...byPackage.values()].filter((group) => group.every(({ verdict }) => is(verdict))).length;
  return {
    packages: byPackage.size,
    served: all((verdict) => verdict.served),
    reforked: all((verdict) => verdict.reforked),
    differences: judged.reduce((sum, { verdict }) => sum + verdict.differences.length, 0),
    named_exceptions: new Set(judged.flatMap(({ verdict }) => verdict.named.map(({ exception }) => exception))).size,
  };
}
