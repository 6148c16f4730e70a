/**
 * Decisions about the census of a generation: who owns each page of its mold, and so of its workers.
 *
 * A scout of the mold takes it on the first request (agent/cowherd_agent/mold/census_scout.py), and it is kept as long
 * as the mold. A failure costs only the census, and another request tries again.
 */
import type { MoldMessage } from '../../../agent/messages.ts';
import type { CensusState } from '../../herd/census-state.ts';
import { log, type Draft } from '../../herd/draft.ts';
import * as molds from './molds.ts';
import { censusPath } from '../../runtime-directory/runtime-folder.ts';
import { currentMold, type HerdState, type MoldState } from '../../herd/state.ts';

/** The answer to a command about the census of the serving generation. */
export interface CensusReport {
  generation: number;
  phase: 'none' | CensusState['phase'];
  /** Set once the census is written. */
  path: string | null;
  /** Why there is no census. */
  reason: string | null;
  /** How long the census took, or has taken so far. */
  seconds: number | null;
}

/**
 * The mold ends its scout after 300 s. A longer silence means that the mold is stopped, or that its message was lost.
 */
export const NO_ANSWER_MS = 310_000;

/** Orders a census, unless one exists or is under way. */
export function request(draft: Draft): void {
  const { state, nowMs } = draft;
  const mold = state.phase === 'serving' ? currentMold(state) : null;
  if (mold === null || mold.census?.phase === 'under_way' || mold.census?.phase === 'written') return;
  molds.noteCensus(draft, mold.generation, { phase: 'under_way', askedAtMs: nowMs });
  draft.actions.push({ do: 'tell_mold', generation: mold.generation, message: { type: 'census' } });
}

export function written(
  draft: Draft,
  generation: number,
  { objects, seconds }: Extract<MoldMessage, { type: 'census_written' }>,
): void {
  if (draft.state.molds[generation] === undefined) {
    // Sent before the mold ended, and received afterwards.
    draft.actions.push({ do: 'remove_census', generation });
    return;
  }
  molds.noteCensus(draft, generation, { phase: 'written', objects, seconds });
  log(
    draft,
    'info',
    `A census of generation ${generation} was taken in ${seconds.toFixed(1)} s: ${objects.toLocaleString('en')} objects`,
  );
}

export function failed(draft: Draft, generation: number, reason: string): void {
  const mold = draft.state.molds[generation];
  if (mold === undefined || mold.census?.phase !== 'under_way') return;
  molds.noteCensus(draft, generation, { phase: 'failed', reason });
  log(draft, 'warning', `No census of generation ${generation}: ${reason}`);
}

export function tick(draft: Draft): void {
  for (const { generation, census } of Object.values(draft.state.molds)) {
    if (census?.phase !== 'under_way' || draft.nowMs - census.askedAtMs < NO_ANSWER_MS) continue;
    failed(draft, generation, `the mold has not answered within ${NO_ANSWER_MS / 1000} s`);
  }
}

/** Removes a mold's census: without the mold there is nothing to compare it with. */
export function forget(draft: Draft, { generation, census }: MoldState): void {
  if (census !== null) draft.actions.push({ do: 'remove_census', generation });
}

/** Pure: the current state of the census. Its path follows from the generation; the mold is not asked. */
export function censusReport(state: HerdState, runtimeDirectory: string, nowMs: number): CensusReport {
  const report = { generation: state.generation, phase: 'none', path: null, reason: null, seconds: null } as const;
  const mold = currentMold(state);
  if (mold === null || state.phase !== 'serving') {
    return { ...report, phase: 'failed', reason: `generation ${state.generation} has no ready mold` };
  }
  const { census } = mold;
  if (census === null) return report;
  if (census.phase === 'failed') return { ...report, phase: 'failed', reason: census.reason };
  if (census.phase === 'written') {
    const path = censusPath(runtimeDirectory, mold.generation);
    return { ...report, phase: 'written', path, seconds: census.seconds };
  }
  return { ...report, phase: 'under_way', seconds: (nowMs - census.askedAtMs) / 1000 };
}
