/**
 * Which processes of the herd let the kernel merge their memory. The merging itself is started by `cowherd heal`, or by
 * the rule in src/supervisor/decisions/upkeep/heal.ts.
 */
import { log, type Draft } from '../../herd/draft.ts';
import { SIGMERGE } from '../../herd/signals.ts';

/** Tells molds and ready workers to let the kernel merge their memory; later workers inherit it from the mold. */
export function request(draft: Draft, by: string): void {
  const { state } = draft;
  if (state.phase !== 'serving') {
    draft.answer = { accepted: false, text: `the herd is ${state.phase}`, generation: null };
    return;
  }
  const told = tell(draft, null);
  const text = `${told.molds} mold(s) and ${told.workers} worker(s) let the kernel merge their memory`;
  log(draft, 'info', `${text}, by ${by}`);
  draft.answer = { accepted: true, text, generation: null };
}

/** Tells these workers (all, with `null`) and the molds that they were forked from. */
export function tell(draft: Draft, pids: ReadonlySet<number> | null): { molds: number; workers: number } {
  const { state, actions } = draft;
  // The signal would kill a worker without a handler, and a worker that was never ready may lack it.
  const workers = Object.values(state.workers).filter(
    (worker) => worker.phase === 'ready' && worker.readyAtMs !== null && (pids?.has(worker.pid) ?? true),
  );
  const generations = new Set([state.generation, ...workers.map((worker) => worker.generation)]);
  const molds = Object.values(state.molds).filter(
    (mold) => mold.phase === 'ready' && mold.pid !== null && generations.has(mold.generation),
  );
  for (const { generation } of molds) actions.push({ do: 'tell_mold', generation, message: { type: 'merge_memory' } });
  for (const { pid } of workers) actions.push({ do: 'signal', pid, signal: SIGMERGE });
  return { molds: molds.length, workers: workers.length };
}
