/** `cowherd list`: the running herds. */
import { printableJson } from '../../base/printable.ts';
import { formatHerds } from '../herd/list-table.ts';
import { listHerds } from '../herd/herds.ts';

export interface ListOptions {
  json?: boolean;
}

/** Raised when a field changes its meaning. docs/list.md describes the format. */
const LIST_VERSION = 1;

export async function runList(options: ListOptions): Promise<number> {
  const herds = await listHerds();
  if (options.json === true) {
    process.stdout.write(`${printableJson({ version: LIST_VERSION, herds }, 2)}\n`);
  } else {
    process.stdout.write(`${herds.length === 0 ? 'No herd runs' : formatHerds(herds, process.getuid?.())}\n`);
  }
  return 0;
}
