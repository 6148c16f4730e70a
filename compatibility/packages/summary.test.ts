import { expect, test } from 'vitest';
import { parseList } from './list.ts';
import { summarize } from './summary.ts';
import type { Verdict } from './verdict.ts';

const [a, b] = parseList('[[package]]\nname = "a"\n[[package]]\nname = "b"\n');
const good: Verdict = { served: true, reforked: true, differences: [], named: [], fault: null };
const bad: Verdict = { ...good, reforked: false, differences: [{ kind: 'refork', what: 'x' }] };

test('a package counts once, and only if all of its interpreters are well', () => {
  const judged = [
    { task: { package: a!, python: '3.11' }, verdict: good },
    { task: { package: a!, python: '3.13' }, verdict: bad },
    { task: { package: b!, python: '3.13' }, verdict: good },
  ];
  expect(summarize(judged)).toEqual({ packages: 2, served: 2, reforked: 1, differences: 1, named_exceptions: 0 });
});

test('an exception counts once, however many differences it names', () => {
  const exception = { kind: 'refork' as const, pattern: 'x', reason: 'a reason that is long enough' };
  const named = { ...good, named: [{ difference: { kind: 'refork' as const, what: 'x' }, exception }] };
  const judged = ['3.11', '3.13'].map((python) => ({ task: { package: a!, python }, verdict: named }));
  expect(summarize(judged).named_exceptions).toBe(1);
});

test('nothing of nothing', () => {
  expect(summarize([])).toEqual({ packages: 0, served: 0, reforked: 0, differences: 0, named_exceptions: 0 });
});
