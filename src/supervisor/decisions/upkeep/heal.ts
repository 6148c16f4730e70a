/**
 * When a herd is healed by rule: applies src/supervisor/rules/heal-rules.ts to the herd at each tick, if the setting
 * `heal` is on.
 */
import { bytes, formatDuration, formatMiB, milliseconds } from '../../../base/units.ts';
import { log, own, type Draft } from '../../herd/draft.ts';
import type { HerdReading, MergingReading } from '../../herd/events.ts';
import {
  begun,
  brokenOff,
  consider,
  ended,
  failed,
  type HealReading,
  measure,
  newCode,
  proceed,
} from '../../rules/heal-rules.ts';
import * as merging from '../processes/merging.ts';
import { isLasting } from '../../herd/staffing.ts';
import type { HealPart, HerdState } from '../../herd/state.ts';

/** Once a second: follows the heal under way, measures the latest win, and begins a heal if one is due. */
export function tick(draft: Draft, memory: HerdReading | undefined, look: MergingReading | undefined): void {
  const { state, nowMs } = draft;
  noteRollout(draft);
  const { heal } = own<HealPart>(draft);
  const isUnderWay = heal.rules.heal !== null && heal.rules.heal.ended === null;
  const mayHeal = state.phase === 'serving' && state.rollout === null && state.settings?.heal === true;
  if (!mayHeal || memory === undefined || look === undefined) {
    if (isUnderWay) breakOff(draft);
    return;
  }
  if (tellProblem(draft, look.problem)) return;
  if (isUnderWay) {
    follow(draft, look);
    return;
  }
  const seen = lookAt(state, memory, nowMs);
  const measured = measure(heal.rules, seen);
  heal.rules = measured.memory;
  if (measured.win !== null) tellWin(draft, measured.win);
  const considered = consider(heal.rules, seen);
  heal.rules = considered.memory;
  if (considered.because === null) return;
  heal.rules = begun(heal.rules, seen, look.ksmdMs);
  merging.tell(draft, new Set(Object.keys(heal.rules.heal?.unsharedBefore ?? {}).map(Number)));
  draft.actions.push({ do: 'start_merging' });
  log(draft, 'info', `Healing: ${considered.because}`);
}

/** KSM could not be switched on. */
export function couldNotStart(draft: Draft, reason: string): void {
  const { heal } = own<HealPart>(draft);
  heal.rules = failed(heal.rules, reason);
  log(draft, 'warning', `Cannot heal: ${reason}`);
}

function follow(draft: Draft, look: MergingReading): void {
  const { nowMs } = draft;
  const { heal } = own<HealPart>(draft);
  if (look.sample === null) {
    // A supervisor that was killed began this heal; the host's settings are as they were before it.
    heal.rules = brokenOff(heal.rules, nowMs);
    return;
  }
  const { memory, isOver } = proceed(heal.rules, look.sample, nowMs);
  heal.rules = memory;
  if (!isOver) return;
  heal.rules = ended(memory, nowMs, look.ksmdMs);
  draft.actions.push({ do: 'stop_merging' });
}

function breakOff(draft: Draft): void {
  const { heal } = own<HealPart>(draft);
  heal.rules = brokenOff(heal.rules, draft.nowMs);
  draft.actions.push({ do: 'stop_merging' });
}

/** Logs once why nothing can be healed here; returns whether there is such a problem. */
function tellProblem(draft: Draft, problem: string | null): boolean {
  const { heal } = own<HealPart>(draft);
  if (problem !== null && problem !== heal.problem)
    log(draft, 'warning', `heal is on, but cannot work here: ${problem}`);
  heal.problem = problem;
  return problem !== null;
}

function tellWin(draft: Draft, { won, tookMs, ksmdMs, estimated }: { won: number } & WinParts): void {
  const { stoppedBecause } = draft.state.heal.rules;
  const cost = ksmdMs === null ? '' : `, using ${formatDuration(milliseconds(ksmdMs))} of CPU time of ksmd`;
  log(
    draft,
    'info',
    `The heal saved ${formatMiB(bytes(won))} in ${formatDuration(milliseconds(tookMs))}${cost}` +
      ` (estimated: ${formatMiB(bytes(estimated))})`,
  );
  if (stoppedBecause === null) return;
  const advice =
    'Collections write to merged pages and copy them again as fast as they are merged; heap policies from `freeze` on prevent that';
  log(draft, 'info', `No more heals until the code is reloaded: ${stoppedBecause}. ${advice}`);
}

interface WinParts {
  estimated: number;
  tookMs: number;
  ksmdMs: number | null;
}

/** Takes note of new code in service since the last tick. */
function noteRollout(draft: Draft): void {
  const { lastRollout } = draft.state;
  const { heal } = own<HealPart>(draft);
  if (lastRollout === null || lastRollout.endedAtMs === heal.seenRolloutAtMs) return;
  heal.seenRolloutAtMs = lastRollout.endedAtMs;
  if (lastRollout.failure === null) heal.rules = newCode(heal.rules);
}

function lookAt(state: HerdState, memory: HerdReading, nowMs: number): HealReading {
  const looks = new Map(memory.workers.map((worker) => [worker.pid, worker]));
  const candidates = Object.values(state.workers)
    .filter((worker) => worker.phase === 'ready' && isLasting(worker))
    .map(({ pid }) => {
      const known = looks.get(pid);
      return {
        pid,
        unshared: known === undefined ? null : bytes(known.unshared),
        sampledAtMs: known?.sampledAtMs ?? 0,
      };
    });
  return { nowMs, herdPss: bytes(memory.pss), candidates };
}
