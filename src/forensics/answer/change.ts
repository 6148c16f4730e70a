/** What has changed between two looks at the same workers; pure. */
import { CAUSE_NAMES, type Cause } from '../pages/causes.ts';
import type { Snapshot, SnapshotWorker } from './snapshot.ts';

export interface WorkerChange {
  readonly pid: number;
  /** Pages that were shared at the first look but not at the second, by cause. */
  readonly lost: Partial<Record<Cause, number>>;
  /** Pages that are shared again, by their former cause. */
  readonly regained: Partial<Record<Cause, number>>;
  /** Unshared pages whose cause has changed, by the change: "identical to payload". */
  readonly turned: Readonly<Record<string, number>>;
}

export interface Change {
  readonly since: string;
  readonly page_bytes: number;
  readonly workers: readonly WorkerChange[];
  /** Workers of the second look only, and of the first look only. */
  readonly new_workers: readonly number[];
  readonly gone_workers: readonly number[];
}

export function changeBetween(before: Snapshot, after: Snapshot): Change {
  const isSame = (one: SnapshotWorker, other: SnapshotWorker): boolean =>
    one.pid === other.pid && one.startedAt === other.startedAt;
  const pairs = after.workers.flatMap((now) => {
    const earlier = before.workers.find((each) => isSame(each, now));
    return earlier === undefined ? [] : [{ earlier, now }];
  });
  return {
    since: before.takenAt,
    page_bytes: after.pageBytes,
    workers: pairs.map(({ earlier, now }) => workerChange(earlier, now, before, after)),
    new_workers: after.workers.filter((now) => !before.workers.some((each) => isSame(each, now))).map(({ pid }) => pid),
    gone_workers: before.workers
      .filter((then) => !after.workers.some((each) => isSame(each, then)))
      .map(({ pid }) => pid),
  };
}

function workerChange(then: SnapshotWorker, now: SnapshotWorker, before: Snapshot, after: Snapshot): WorkerChange {
  const lost: Partial<Record<Cause, number>> = {};
  const regained: Partial<Record<Cause, number>> = {};
  const turned: Record<string, number> = {};
  const stateThen = reader(then, before);
  for (const { start, codes } of now.regions) {
    for (const [page, code] of codes.entries()) {
      const current = after.codeNames[code] ?? '';
      const earlier = stateThen(start + page * after.pageBytes);
      if (earlier === null || earlier === current) continue;
      const [wasLost, isLost] = [asCause(earlier), asCause(current)];
      if (earlier === 'shared' && isLost !== null) lost[isLost] = (lost[isLost] ?? 0) + 1;
      else if (wasLost !== null && current === 'shared') regained[wasLost] = (regained[wasLost] ?? 0) + 1;
      else if (wasLost !== null && isLost !== null) {
        const way = `${wasLost} to ${isLost}`;
        turned[way] = (turned[way] ?? 0) + 1;
      }
    }
  }
  return { pid: now.pid, lost, regained, turned };
}

function asCause(name: string): Cause | null {
  return CAUSE_NAMES.find((cause) => cause === name) ?? null;
}

/** Returns a function that tells a page's state at the first look, by address; null if the look has no such page. */
function reader({ regions }: SnapshotWorker, snapshot: Snapshot): (address: number) => string | null {
  let latest = regions[0];
  return (address) => {
    const holds = (region: typeof latest): boolean =>
      region !== undefined &&
      region.start <= address &&
      address < region.start + region.codes.length * snapshot.pageBytes;
    if (!holds(latest)) latest = regions.find(holds);
    if (latest === undefined) return null;
    const code = latest.codes[(address - latest.start) / snapshot.pageBytes];
    return code === undefined ? null : (snapshot.codeNames[code] ?? null);
  };
}
