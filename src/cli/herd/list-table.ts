/** Herds as lines for people: the table of `cowherd list`, and of errors that say which herds there are. Pure. */
import { plainTable } from '../shared/plain-table.ts';
import type { HerdEntry } from './herds.ts';

/** @param uid of the user who reads: the column `user` is there when a herd is of another one */
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
