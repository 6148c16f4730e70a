/** The choice of the next mold: which worker a refork makes the mold of the next generation. Pure. */
import type { HerdState, WorkerState } from '../../herd/state.ts';
import { mostWarmed } from '../../rules/warmth.ts';

/** The most warmed worker of the generation that serves; null where none is ready. */
export function nextMold(state: HerdState): WorkerState | null {
  const candidates = Object.values(state.workers)
    // One that is to be replaced anyway may be so for what it has leaked.
    .filter(
      (worker) => worker.generation === state.generation && worker.phase === 'ready' && worker.replaceBecause === null,
    )
    .map((worker) => ({ worker, requests: worker.requestsFinished, forkedAtMs: worker.forkedAtMs }));
  return mostWarmed(candidates)?.worker ?? null;
}
