/** Tables without borders. */
import Table from 'cli-table3';
import pc from 'picocolors';
import { printable } from '../../base/printable.ts';

const PLAIN_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** A cell: text from any source, with a color of ours if needed. */
export type Cell = string | { readonly text: string; readonly paint: (text: string) => string };

/** A table whose first `leftColumns` columns are left-aligned and the others right-aligned. */
export function plainTable(head: string[], rows: readonly Cell[][], leftColumns: number): string {
  const table = new Table({
    head: head.map(bold),
    colAligns: head.map((_, index) => (index < leftColumns ? 'left' : 'right')),
    chars: PLAIN_BORDERS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows.map((row) => row.map(shown)));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

function shown(cell: Cell): string {
  return typeof cell === 'string' ? printable(cell) : cell.paint(printable(cell.text));
}

/** Formats each line separately, since the table splits cells into lines. */
function bold(cell: string): string {
  return cell
    .split('\n')
    .map((line) => (line === '' ? '' : pc.bold(line)))
    .join('\n');
}
