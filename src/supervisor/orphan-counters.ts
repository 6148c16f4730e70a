/** The last counters of workers whose end the keeper does not report: it has died, or they become molds. */
import type { KeeperMessage } from '../agent/messages.ts';
import type { Scoreboard, ScoreboardRow } from '../agent/scoreboard.ts';
import { readStat } from '../procfs/stat.ts';
import type { HerdEvent } from './herd/events.ts';
import type { ProcessTotals } from './herd/tallies.ts';

/** @param slots the slot of each pid that is a worker */
export function orphansGone(
  slots: Readonly<Record<number, number>>,
  rowOf: (pid: number) => ScoreboardRow | null,
): Extract<HerdEvent, { type: 'orphans_gone' }> {
  const counted = Object.entries(slots).flatMap(([pid, slot]) => {
    const row = rowOf(Number(pid));
    if (row === null) return [];
    const { requestsStarted, requestsFinished, responseErrors } = row;
    return [{ slot, counters: { requestsStarted, requestsFinished, responseErrors, row } }];
  });
  const requestsFinished = counted.reduce((total, { counters }) => total + counters.requestsFinished, 0);
  return { type: 'orphans_gone', requestsFinished, slots: counted };
}

/** What a worker has counted that has finished its requests, and is none any more. */
export function countersOfRetired(message: KeeperMessage, scoreboard: Scoreboard): { retired?: ProcessTotals } {
  if (message.type !== 'from_worker' || message.message.type !== 'retired') return {};
  const row = scoreboard.row(message.pid);
  const { minorFaults = 0, majorFaults = 0 } = readStat(message.pid) ?? {};
  return row === null ? {} : { retired: { row, minorFaults, majorFaults } };
}
