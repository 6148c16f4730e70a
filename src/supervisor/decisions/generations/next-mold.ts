/** The choice of the next mold: the worker that becomes the next generation's mold in a refork. Pure. */
import type { HerdState, WorkerState } from '../../herd/state.ts';
import { mostWarmed } from '../../rules/warmth.ts';

/** The warmest worker of the serving generation; null when none is ready. */
export function nextMold(state: HerdState): WorkerState | null {
  const candidates = Object.values(state.workers)
    // A worker that is to be replaced anyway may have leaked memory.
    .filter(
      (worker) => worker.generation === state.generation && worker.phase === 'ready' && worker.replaceBecause === null,
    )
    .map((worker) => ({ worker, requests: worker.requestsFinished, forkedAtMs: worker.forkedAtMs }));
  return mostWarmed(candidates)?.worker ?? null;
}
