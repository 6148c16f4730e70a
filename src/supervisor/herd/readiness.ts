/** Whether the herd should get traffic: for load balancers and probes (`cowherd status --ready`). */
import type { HerdState } from './state.ts';

/**
 * Returns why the herd is not ready, or `null` when it is. It stops being ready the moment a stop begins. `ready` is
 * the number of ready workers.
 */
export function whyNotReady(state: HerdState, ready: number): string | null {
  if (state.predecessor?.phase === 'serving' && state.phase !== 'stopping') {
    return `the herd of keeper ${state.predecessor.keeperPid} serves until every worker of this one is ready`;
  }
  if (state.phase !== 'serving') return `the herd is ${state.phase}`;
  if (!state.announcedReady) return `${ready} of ${state.target} workers are ready for the first time`;
  return ready > 0 ? null : 'no worker is ready';
}
