/**
 * When the serving mold tells gunicorn's logger the figures of gunicorn's arbiter (gunicorn/arbiter.py, manage_workers;
 * 23 to 27): the number of workers when it has changed, and once a second how many connections wait. Pure.
 */
import type { KeeperCommand } from '../../agent/messages.ts';
import { currentMold, isServing, type HerdState } from '../herd/state.ts';

/** The last number that was told, and the generation whose mold told it: the next mold's logger may be another one. */
export interface ToldWorkers {
  readonly generation: number;
  readonly workers: number;
}

export interface GaugesDue {
  readonly told: ToldWorkers | null;
  readonly command: KeeperCommand | null;
}

/** Called once a second. Only the serving mold tells anything, so each figure is told once. */
export function gaugesDue(state: HerdState, told: ToldWorkers | null): GaugesDue {
  const mold = currentMold(state);
  const wanted = mold?.settings?.gauges;
  if (mold === null || wanted === undefined || state.phase !== 'serving') return { told, command: null };
  const { generation } = mold;
  const workers = countAsGunicorn(state);
  const isNew = wanted.workers && (told?.generation !== generation || told.workers !== workers);
  const backlog = wanted.backlog ? waiting(state) : null;
  if (!isNew && backlog === null) return { told, command: null };
  return {
    told: isNew ? { generation, workers } : told,
    command: {
      type: 'to_mold',
      generation,
      message: { type: 'gauges', workers: isNew ? workers : null, backlog },
    },
  };
}

/** gunicorn leaves out workers beyond the wanted number, which it has told to leave; a rollout has some. */
function countAsGunicorn(state: HerdState): number {
  return Math.min(state.target, Object.values(state.workers).filter(isServing).length);
}

function waiting({ keeperPulse }: HerdState): number {
  return (keeperPulse?.queues ?? []).reduce((total, queue) => total + queue.waiting, 0);
}
