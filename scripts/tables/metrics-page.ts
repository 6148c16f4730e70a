/** The table of docs/metrics.md. Pure. */
import { CATALOGUE } from '../../src/supervisor/metrics/catalogue.ts';

const START = '<!-- metrics: made by scripts/tables.ts -->';
const END = '<!-- end of metrics -->';

/**
 * The page with its table made anew.
 *
 * @throws Error if a marker is missing
 */
export function withMetrics(page: string): string {
  const [head, rest] = page.split(START);
  const tail = rest?.split(END)[1];
  if (head === undefined || tail === undefined) throw new Error('docs/metrics.md has lost its markers');
  const rows = Object.values(CATALOGUE).map(
    ({ name, type, labels, help }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
  );
  return `${head}${START}\n\n| metric | type | labels | |\n|---|---|---|---|\n${rows.join('\n')}\n\n${END}${tail}`;
}
