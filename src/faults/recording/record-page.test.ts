/** docs/record.md names each field and each cause, and no others. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { FAULT_CAUSES } from '../profile/causes.ts';
import { FaultReader } from '../profile/fault-reader.ts';
import { FROM_ELSEWHERE } from './import-recording.ts';
import { recordReport } from './report.ts';

const page = readFileSync(path.resolve(import.meta.dirname, '../../../docs/record.md'), 'utf8');

test('the fields of --json', () => {
  const reader = new FaultReader(FROM_ELSEWHERE);
  const report = recordReport(reader, {
    title: '',
    takenAt: new Date(0),
    parent: null,
    fromFork: false,
    seconds: 0,
    pageBytes: 4096,
    instrument: null,
    callGraph: null,
    counters: null,
  });
  const table = page.slice(page.indexOf('## `--json`'));
  const cells = [...table.matchAll(/^\| (`[^|]*`) \|/gm)].map(([, cell = '']) => cell);
  const named = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  expect(named.toSorted()).toEqual(Object.keys(report).toSorted());
});

test('the causes, in the same words', () => {
  const table = page.slice(page.indexOf('## Causes'), page.indexOf('## Callers'));
  const rows = [...table.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(([, name, meaning]) => [name, meaning]);
  expect(Object.fromEntries(rows)).toEqual(
    Object.fromEntries(Object.entries(FAULT_CAUSES).map(([name, { meaning }]) => [name, meaning])),
  );
});
