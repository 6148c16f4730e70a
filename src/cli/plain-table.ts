/** Columns of text without lines around them. */
import Table from 'cli-table3';
import pc from 'picocolors';

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

/** Columns of text, the first ones left-aligned and the others right-aligned. */
export function plainTable(head: string[], rows: string[][], leftColumns: number): string {
  const table = new Table({
    head: head.map(bold),
    colAligns: head.map((_, index) => (index < leftColumns ? 'left' : 'right')),
    chars: PLAIN_BORDERS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Each line of its own: the table breaks the cell into them. */
function bold(cell: string): string {
  return cell
    .split('\n')
    .map((line) => (line === '' ? '' : pc.bold(line)))
    .join('\n');
}
