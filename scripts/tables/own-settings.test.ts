import { expect, test } from 'vitest';
import { helpSource, readTable, schemaSource } from './own-settings.ts';

const table = (settings: unknown[]): string => JSON.stringify({ settings });
const budget = {
  name: 'budget',
  kind: 'percent',
  options: ['--budget'],
  meta: 'PCT',
  default: 1,
  description: ['How much.'],
};

test('a setting that the supervisor acts on has a schema by its kind, and one with a help has a line', () => {
  const rows = readTable(table([{ ...budget, message: 'budget_percent', help: 'how much' }]));
  expect(schemaSource(rows)).toContain('  budget_percent: v.pipe(v.number(), v.minValue(0)),\n');
  expect(helpSource(rows)).toContain('  --budget PCT             budget: how much`');
});

test('an option that is too long for its column has its text on the next line', () => {
  const long = { ...budget, options: ['--budget-of-everything'], help: 'how much' };
  expect(helpSource(readTable(table([long])))).toContain(
    '  --budget-of-everything PCT\n                           budget: how much`',
  );
});

test('a setting of the mold alone has none', () => {
  const rows = readTable(table([budget]));
  expect(schemaSource(rows)).not.toContain('budget');
  expect(helpSource(rows)).not.toContain('--budget');
});

test('a row of an unknown kind, or with an unknown field, is refused', () => {
  expect(() => readTable(table([{ ...budget, kind: 'colour' }]))).toThrow(/kind|Expected/);
  expect(() => readTable(table([{ ...budget, helpp: 'x' }]))).toThrow(/helpp|never/);
});
