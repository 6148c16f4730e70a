/**
 * An adopted herd as input for the supervisor's policy (src/supervisor/decisions/generations/adoption.ts), read from
 * the scoreboard and the dead supervisor's file.
 */
import { exitCounters } from './herd/endings.ts';
import type { Adoption, AdoptedRow } from './herd/events.ts';
import type { HerdOrigin } from './runtime-directory/herd-file.ts';
import type { AdoptedHerd, StartUp } from './start-up.ts';

export function originOf({ python, arguments: words }: StartUp): HerdOrigin {
  return { python, arguments: words, cwd: process.cwd() };
}

export function adoptedEvent(startUp: StartUp, { inventory, saved }: AdoptedHerd): { type: 'adopted' } & Adoption {
  const rows: Record<number, AdoptedRow> = {};
  for (const { pid } of inventory.workers) {
    const row = startUp.scoreboard.row(pid);
    if (row === null) continue;
    const { requestsStarted, requestsFinished, readyMonotonicNs } = row;
    rows[pid] = { requestsStarted, requestsFinished, isReady: readyMonotonicNs > 0n };
  }
  for (const { pid, counters, minor_faults, major_faults } of inventory.endings) {
    const faults = { minorFaults: minor_faults, majorFaults: major_faults };
    if (counters !== null) rows[pid] = { ...exitCounters(counters), ...faults, isReady: false };
  }
  return {
    type: 'adopted',
    inventory,
    saved: saved?.state ?? null,
    supervisorPid: saved?.supervisorPid ?? null,
    rows,
    isOtherwiseStarted: saved !== null && JSON.stringify(saved.origin) !== JSON.stringify(originOf(startUp)),
  };
}
