import { expect, test } from 'vitest';
import type { CowherdRun, Observation } from './observation.ts';
import { cowherd, observationOf, packageOf } from './samples.ts';
import { page, type Row } from './table.ts';
import { judge } from './verdict.ts';

const summary = { packages: 1, served: 1, reforked: 1, differences: 0, named_exceptions: 0 };

function rowOf(observations: readonly Observation[], more = ''): Row {
  const package_ = packageOf(more);
  return {
    package: package_,
    cells: Object.fromEntries(
      observations.map((observation) => [observation.python, { observation, verdict: judge(observation, package_) }]),
    ),
  };
}

const lineOf = (row: Row): string =>
  page([row], ['3.11', '3.13', '3.14'], summary)
    .split('\n')
    .find((line) => line.startsWith('| numpy')) ?? '';

test('a cell is the heap policy, and what differs', () => {
  const warned: CowherdRun = { ...cowherd, warnings: ['Fork safety: `x`'] };
  const row = rowOf(
    [observationOf(), observationOf({ python: '3.11', cowherd: warned })],
    'not_for = { "3.14" = "it does not build there" }',
  );
  expect(lineOf(row)).toBe('| numpy | 2.5.5 | immortal, **warning** | immortal | none |');
  const text = page([row], ['3.11', '3.13', '3.14'], summary);
  expect(text).toContain('## Differences\n');
  expect(text).toContain("- numpy, 3.11: warning: `Fork safety: 'x'`");
  expect(text).toContain('- numpy, 3.14: it does not build there');
});

test('an exception is named with its reason, once for all its interpreters', () => {
  const more = 'exceptions = [{ kind = "warning", pattern = "x", reason = "a reason that is long enough" }]';
  const warned: CowherdRun = { ...cowherd, warnings: ['x'] };
  const row = rowOf(
    ['3.11', '3.13'].map((python) => observationOf({ python, cowherd: warned })),
    more,
  );
  expect(lineOf(row)).toBe('| numpy | 2.5.5 | immortal, warning: named | immortal, warning: named | not run |');
  const text = page([row], ['3.11', '3.13', '3.14'], summary);
  expect(text).toContain('- numpy, 3.11 and 3.13: warning: a reason that is long enough');
  expect(text).not.toContain('## Differences');
});

test('releases that differ are told by interpreter', () => {
  const row = rowOf([observationOf(), observationOf({ python: '3.11', version: '2.4.0' })]);
  expect(lineOf(row)).toContain('| 2.4.0 (3.11), 2.5.5 (3.13) |');
});

test('what did not start, and what could not be shown', () => {
  const log = 'first\nError X: y';
  expect(lineOf(rowOf([observationOf({ cowherd: { started: false, log } })]))).toContain('does not start');
  const faulty = rowOf([observationOf({ gunicorn: { started: false, log }, cowherd: null })]);
  expect(lineOf(faulty)).toContain('not shown');
  expect(page([faulty], ['3.13'], summary)).toContain('## Not shown');
});
