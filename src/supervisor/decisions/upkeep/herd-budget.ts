/** The memory budget of a whole herd, and the worker whose recycling gives most of it back. Pure. */
import type { Settings } from '../../../agent/messages.ts';
import type { HerdReading } from '../../herd/events.ts';
import type { WorkerState } from '../../herd/state.ts';

/** The usable part of the cgroup's limit; the rest is a reserve for growth between two looks. */
const CGROUP_PART = 0.9;

export interface HerdBudget {
  used: number;
  limit: number;
  /** The source of the limit. */
  name: string;
}

/** Null when there is no limit, neither by the settings nor in the cgroup. */
export function herdBudget(settings: Settings, memory: HerdReading): HerdBudget | null {
  const { herd_memory: asked } = settings;
  if (asked === 'off') return null;
  if (asked !== 'auto') return { used: memory.pss, limit: asked, name: 'herd_memory' };
  const { cgroup } = memory;
  if (cgroup === null || cgroup.limit === null) return null;
  return { used: cgroup.used, limit: Math.floor(cgroup.limit * CGROUP_PART), name: 'nine tenths of its cgroup' };
}

/** The worker with most private memory: recycling returns only memory that no other process maps. */
export function largestWorker(
  workers: readonly WorkerState[],
  memory: HerdReading,
): { worker: WorkerState; private: number } | null {
  const looks = new Map(memory.workers.map((look) => [look.pid, look]));
  let largest: { worker: WorkerState; private: number } | null = null;
  for (const worker of workers) {
    const look = looks.get(worker.pid);
    if (look === undefined || look.private <= (largest?.private ?? 0)) continue;
    largest = { worker, private: look.private };
  }
  return largest;
}
