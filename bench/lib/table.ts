/** Tables for people: text is left-aligned, numbers are right-aligned. */
import Table from 'cli-table3';
import { type Verdict, formatFigure } from './figures.ts';

export type Row = readonly (string | number)[];

/** Numbers are rounded to `digits` decimals. */
export function table(head: readonly string[], rows: readonly Row[], digits = 1): string {
  const numeric = head.map((_, column) => rows.every((row) => typeof row[column] === 'number'));
  const drawn = new Table({
    head: [...head],
    colAligns: numeric.map((right) => (right ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) {
    drawn.push(row.map((cell) => (typeof cell === 'number' ? cell.toFixed(digits) : cell)));
  }
  return drawn.toString();
}

export function figureTable(verdicts: readonly Verdict[]): string {
  return table(
    ['figure', 'measured', 'to reach', 'reached'],
    verdicts.map(({ target, measured, reached }) => [
      target.name,
      measured === undefined ? 'not measured' : formatFigure(measured),
      `${target.kind === 'at most' ? '≤' : '≥'} ${target.value}`,
      reached ? 'yes' : 'NO',
    ]),
  );
}
