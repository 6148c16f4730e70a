/** How many workers each generation has and lacks; pure. */
import { isServing, type HerdState, type WorkerState } from './state.ts';

/** The most extra workers while generations are exchanged, as a fraction of the wanted number. */
const SURGE_PART = 0.25;

export function surgeOf(target: number): number {
  return Math.max(1, Math.floor(target * SURGE_PART));
}

/** Whether the worker serves and is not to be replaced. */
export function isLasting(worker: WorkerState): boolean {
  return isServing(worker) && worker.replaceBecause === null;
}

/** How many workers each generation lacks. Workers that are to be replaced count as gone. */
export function missing(state: HerdState): { generation: number; count: number }[] {
  const { rollout } = state;
  const forking = Object.values(state.forking);
  const lasting = Object.values(state.workers).filter(isLasting);
  const all = lasting.length + forking.length;
  if (rollout === null || rollout.phase === 'mold') {
    return [{ generation: state.generation, count: state.target - all }];
  }
  const ofNew =
    lasting.filter((worker) => worker.generation === rollout.to).length +
    forking.filter(({ generation }) => generation === rollout.to).length;
  if (rollout.phase === 'trial') {
    return [
      { generation: state.generation, count: state.target - (all - ofNew) },
      { generation: rollout.to, count: 1 - ofNew },
    ];
  }
  const room = state.target + surgeOf(state.target) - all;
  return [{ generation: rollout.to, count: Math.min(state.target - ofNew, room) }];
}

/** How many ready workers are not to be replaced. */
export function readyWithoutReplaced(state: HerdState): number {
  return Object.values(state.workers).filter((worker) => worker.phase === 'ready' && isLasting(worker)).length;
}
