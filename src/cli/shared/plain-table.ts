/** Columns of text without lines around them. */
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

/** What stands in a table: a text from anywhere, with a colour of ours if need be. */
export type Cell = string | { readonly text: string; readonly paint: (text: string) => string };

/** Columns of text, the first ones left-aligned and the others right-aligned. */
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

/** Each line of its own: the table breaks the cell into them. */
function bold(cell: string): string {
  return cell
    .split('\n')
    .map((line) => (line === '' ? '' : pc.bold(line)))
    .join('\n');
}
