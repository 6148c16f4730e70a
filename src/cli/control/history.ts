/** `cowherd history`: the effects of a herd's restarts on the host, from its records. The herd may have ended. */
import { basename } from 'node:path';
import { CowherdError } from '../../base/errors.ts';
import { printable, printableJson } from '../../base/printable.ts';
import {
  historyFile,
  historyFolder,
  listHistories,
  readHistory,
  readStateEnvironment,
} from '../../supervisor/restarts/history.ts';
import { herdNamePrefix } from '../../supervisor/runtime-directory/runtime-directory.ts';
import { findHerd } from '../herd/find-herd.ts';
import { formatHistory } from './history-table.ts';

export interface HistoryOptions {
  runtimeDir?: string;
  json?: boolean;
}

/** Prints the records, oldest first. */
export async function runHistory(options: HistoryOptions): Promise<number> {
  const file = await findHistory(options.runtimeDir);
  const { records, leftOut } = file === null ? { records: [], leftOut: [] } : readHistory(file);
  if (leftOut.length > 0) {
    process.stderr.write(`${leftOut.length} line(s) of ${printable(file ?? '')} are left out: ${leftOut[0]}\n`);
  }
  process.stdout.write(
    options.json === true ? `${printableJson({ file, records }, 2)}\n` : `${formatHistory(file, records)}\n`,
  );
  return 0;
}

/**
 * The history for the runtime directory given; else of the herd that runs here; else the latest one of a herd started
 * from the current folder.
 *
 * @throws CowherdError SEVERAL_RUNNING
 */
async function findHistory(given: string | undefined): Promise<string | null> {
  const folder = historyFolder(readStateEnvironment());
  if (given !== undefined) return historyFile(folder, given);
  try {
    return historyFile(folder, await findHerd(undefined));
  } catch (error) {
    if (!(error instanceof CowherdError) || error.code !== 'NOT_RUNNING') throw error;
  }
  const all = listHistories(folder);
  return all.find((file) => basename(file).startsWith(herdNamePrefix(process.cwd()))) ?? null;
}
