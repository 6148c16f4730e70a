/** When a herd reforks by rule: applies src/supervisor/rules/refork-rules.ts to the herd at each tick. */
import { bytes, formatMiB } from '../../../base/units.ts';
import { log, own, type Draft } from '../../herd/draft.ts';
import type { HerdReading } from '../../herd/events.ts';
import { begun, consider, failed, measure, newReforkMemory, type ReforkReading } from '../../rules/refork-rules.ts';
import { requestRefork } from '../generations/rollout-requests.ts';
import { isLasting } from '../../herd/staffing.ts';
import type { HerdState, ReforkPart } from '../../herd/state.ts';

/** Once a second: takes note of the latest rollout, measures the win of a refork, and requests one if it is due. */
export function tick(draft: Draft, memory: HerdReading | undefined): void {
  const { state, nowMs } = draft;
  const { settings } = state;
  const { refork } = own<ReforkPart>(draft);
  noteRollout(draft);
  if (state.phase !== 'serving' || settings === null || memory === undefined || state.rollout !== null) return;
  const look = lookAt(state, memory, nowMs);
  const measured = measure(refork.rules, look);
  refork.rules = measured.memory;
  refork.atRest = look;
  if (measured.win !== null) {
    const { generation, won, wonPerWorker } = measured.win;
    log(
      draft,
      'info',
      `The refork to generation ${generation} saved ${formatMiB(bytes(won))}, ${formatMiB(bytes(wonPerWorker))} per worker,` +
        ' measured when its workers were as warm as those before',
      { win: measured.win },
    );
    const { stoppedBecause } = refork.rules;
    if (settings.refork_by_benefit && stoppedBecause !== null) {
      log(draft, 'info', `No more reforks by benefit until the code is reloaded: ${stoppedBecause}`);
    }
  }
  const limits = { after: settings.refork_after, byBenefit: settings.refork_by_benefit };
  const considered = consider(refork.rules, limits, look);
  refork.rules = considered.memory;
  if (considered.because !== null) requestRefork(draft, `rule: ${considered.because}`);
}

/** Takes note of a rollout that has ended since the last tick. */
function noteRollout(draft: Draft): void {
  const { nowMs } = draft;
  const { lastRollout } = draft.state;
  const { refork } = own<ReforkPart>(draft);
  if (lastRollout === null || lastRollout.endedAtMs === refork.seenRolloutAtMs) return;
  refork.seenRolloutAtMs = lastRollout.endedAtMs;
  if (lastRollout.kind !== 'refork') {
    // New code has other caches.
    if (lastRollout.failure === null) refork.rules = newReforkMemory();
  } else if (lastRollout.failure !== null) {
    refork.rules = failed(refork.rules, lastRollout.failure, nowMs);
  } else if (refork.atRest !== null) {
    refork.rules = begun(refork.rules, lastRollout.to, refork.atRest);
  }
}

function lookAt(state: HerdState, memory: HerdReading, nowMs: number): ReforkReading {
  const privateOf = new Map(memory.workers.map((worker) => [worker.pid, worker.private]));
  const candidates = Object.values(state.workers)
    .filter((worker) => worker.generation === state.generation && worker.phase === 'ready' && isLasting(worker))
    .map(({ pid, requestsFinished, forkedAtMs }) => {
      const known = privateOf.get(pid);
      return { pid, requests: requestsFinished, forkedAtMs, private: known === undefined ? null : bytes(known) };
    });
  return { nowMs, herdPss: bytes(memory.pss), candidates };
}
