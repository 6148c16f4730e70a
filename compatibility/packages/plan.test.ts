import { expect, test } from 'vitest';
import { parseList } from './list.ts';
import { chosen, type Known, toRun, wishesOf } from './plan.ts';

const list = parseList(`
[[package]]
name = "lxml"
[[package]]
name = "NumPy"
[[package]]
name = "old"
not_for = { "3.14" = "it does not build there" }
`);
const all = wishesOf({});
const shown = (tasks: ReturnType<typeof chosen>): string[] =>
  tasks.map((each) => `${each.package.name} ${each.python}`);

test('without wishes every package is run on every interpreter that it is for', () => {
  expect(shown(chosen(list, ['3.13', '3.14'], all))).toEqual([
    'lxml 3.13',
    'lxml 3.14',
    'NumPy 3.13',
    'NumPy 3.14',
    'old 3.13',
  ]);
});

test('a part is chosen by the variables', () => {
  const wishes = wishesOf({ PACKAGES: 'numpy, LXML', PYTHONS: ' 3.14 ', AGAIN: '1' });
  expect(wishes).toEqual({ packages: ['numpy', 'LXML'], pythons: ['3.14'], again: true });
  expect(shown(chosen(list, ['3.13', '3.14'], wishes))).toEqual(['lxml 3.14', 'NumPy 3.14']);
});

test('what is not there is an error', () => {
  expect(() => chosen(list, ['3.13'], wishesOf({ PACKAGES: 'nunpy' }))).toThrow(/nunpy/);
  expect(() => chosen(list, ['3.13'], wishesOf({ PYTHONS: '3.14' }))).toThrow(/3\.14/);
});

test('first what has no result, then what differed, then what is of older sources; newest interpreter first', () => {
  const tasks = chosen(list, ['3.13', '3.14'], all);
  const known: Record<string, Known> = {
    'lxml 3.13': { result: 'good', isPresent: false },
    'NumPy 3.14': { result: 'differs', isPresent: true },
    'NumPy 3.13': { result: 'differs', isPresent: false },
    'old 3.13': { result: 'good', isPresent: true },
  };
  const run = (again: boolean): string[] =>
    shown(
      toRun(
        tasks,
        (task) => known[`${task.package.name} ${task.python}`] ?? { result: 'none', isPresent: false },
        again,
      ),
    );
  expect(run(false)).toEqual(['lxml 3.14', 'NumPy 3.13', 'lxml 3.13']);
  expect(run(true)).toEqual(['lxml 3.14', 'NumPy 3.14', 'NumPy 3.13', 'lxml 3.13', 'old 3.13']);
});
