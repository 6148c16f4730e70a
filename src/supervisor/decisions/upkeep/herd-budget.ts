/** The memory that a whole herd may take, and whose recycling gives most of it back. Pure. */
import type { Settings } from '../../../agent/messages.ts';
import type { HerdReading } from '../../herd/events.ts';
import type { WorkerState } from '../../herd/state.ts';

/** Of the cgroup's limit: what is above is left for what comes between two looks. */
const CGROUP_PART = 0.9;

export interface HerdBudget {
  used: number;
  limit: number;
  /** Where the limit comes from. */
  name: string;
}

/** Null where there is no limit, by the settings or in the cgroup. */
export function herdBudget(settings: Settings, memory: HerdReading): HerdBudget | null {
  const { herd_memory: asked } = settings;
  if (asked === 'off') return null;
  if (asked !== 'auto') return { used: memory.pss, limit: asked, name: 'herd_memory' };
  const { cgroup } = memory;
  if (cgroup === null || cgroup.limit === null) return null;
  return { used: cgroup.used, limit: Math.floor(cgroup.limit * CGROUP_PART), name: 'nine tenths of its cgroup limit' };
}

/** What a worker gives back is what no other process maps: its private memory. */
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
