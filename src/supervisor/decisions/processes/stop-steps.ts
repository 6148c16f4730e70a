/** The steps of a stop: workers first, then molds, then the keeper, each with a deadline. */
import type { Draft } from '../../herd/draft.ts';
import * as molds from './molds.ts';
import { SIGKILL } from '../../herd/signals.ts';
import type { MoldState, StopState } from '../../herd/state.ts';
import * as stopping from './stopping.ts';

/** How long molds may run their exit hooks. */
const MOLD_GRACE_MS = 5_000;

/** Takes the next step of a stop, after every event: workers, then molds, then the keeper. */
export function advance(draft: Draft): void {
  const { state } = draft;
  const { stop } = state;
  if (stop === null || stopping.endWorkers(draft, stop) || endMolds(draft, stop)) return;
  if (state.afresh !== null) {
    // There is no keeper, but processes of a dead one may remain.
    if (state.afresh.orphansGone) stopping.conclude(draft);
    return;
  }
  if (stop.keeperTold) return;
  stopping.keeperTold(draft);
  draft.actions.push({ do: 'tell_keeper_to_leave' });
}

/** Tells molds to leave, and kills those that do not; returns whether any remain. */
function endMolds(draft: Draft, stop: StopState): boolean {
  const { state, nowMs } = draft;
  const left = Object.values(state.molds).filter((mold) => mold.pid !== null);
  if (left.length === 0) return false;
  let toldAtMs = stop.moldsToldAtMs;
  if (toldAtMs === null) {
    toldAtMs = nowMs;
    stopping.moldsTold(draft);
    for (const mold of left) dismissMold(draft, mold);
  } else if (nowMs >= toldAtMs + MOLD_GRACE_MS) {
    toldAtMs = nowMs;
    stopping.moldsTold(draft);
    for (const mold of left) draft.actions.push({ do: 'signal', pid: mold.pid ?? 0, signal: SIGKILL });
  }
  draft.actions.push({ do: 'wake', atMs: toldAtMs + MOLD_GRACE_MS });
  return true;
}

function dismissMold(draft: Draft, mold: MoldState): void {
  const { generation, pid, phase } = mold;
  if (phase === 'ready') {
    const message = { type: 'exit', final: generation === draft.state.generation } as const;
    draft.actions.push({ do: 'tell_mold', generation, message });
  } else if (phase !== 'failed') {
    // The mold is loading and does not read messages; it has no worker and no request.
    draft.actions.push({ do: 'signal', pid: pid ?? 0, signal: SIGKILL });
  }
  molds.leaves(draft, generation);
}
