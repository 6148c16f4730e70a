/** Herds as a table for `cowherd list`, and for errors that list the existing herds. Pure. */
import { plainTable } from '../shared/plain-table.ts';
import type { HerdEntry } from './herds.ts';

/** @param uid the current user's id. If a herd belongs to another user, the table has the column `user id`. */
export function formatHerds(herds: readonly HerdEntry[], uid: number | undefined): string {
  const withUser = herds.some((herd) => herd.uid !== uid);
  const head = ['pid', 'application', 'address', 'folder', 'workers', 'state', 'runtime directory'];
  const rows = herds.map((herd) => [
    String(herd.pid ?? '-'),
    herd.app ?? '-',
    herd.listeners.join(', ') || '-',
    herd.folder ?? '-',
    `${herd.workers_ready ?? '-'} of ${herd.workers_wanted ?? '-'}`,
    stateOf(herd),
    herd.runtime_directory,
  ]);
  if (withUser) {
    head.push('user id');
    for (const [index, herd] of herds.entries()) rows[index]?.push(String(herd.uid ?? '-'));
  }
  return plainTable(head, rows, head.length);
}

function stateOf(herd: HerdEntry): string {
  if (herd.supervised === false) return 'without supervisor';
  return herd.problem ?? herd.phase ?? '-';
}
