import { sampleMold, sampleRollout, sampleWorker } from './samples.ts';
import { initialState } from '../herd/state.ts';
import { statusReport, type StatusReport } from '../control/status.ts';

/** The report of a herd that has one of everything. */
export function sampleReport(): StatusReport {
  const memory = { rss: 6, pss: 5, shared: 4, private: 3, unshared: 2, fresh: 1 };
  const state = initialState();
  state.generation = 1;
  state.molds[1] = sampleMold(1, {
    pid: 10,
    remarks: [{ policy: 'immortal', reason: 'a reason' }],
    report: { heap: {} },
  });
  state.rollout = sampleRollout();
  state.lastRollout = { kind: 'reload', by: 'SIGHUP', from: 1, to: 2, startedAtMs: 0, endedAtMs: 1, failure: 'x' };
  state.crashLoop = { startedAtMs: 0, deaths: 3, lastError: 'x' };
  state.recycling.herd.budget = { used: 1, limit: 1 };
  state.guardCalls = [{ function: 'collect', package: 'p', file: 'f', line: 1, held: false, workers: 1 }];
  state.predecessor = { keeperPid: 30, protocol: 1, phase: 'serving' };
  state.keeperPulse = { heardAtMs: 0, isSilent: true, queues: [{ name: 'n', waiting: 1, most: 2 }] };
  state.workers[11] = sampleWorker(11, 0, { replaceBecause: 'a reason' });
  return statusReport({
    state,
    nowMs: 2000,
    nowMonotonicNs: 0n,
    startedAtMs: 0,
    folder: '/srv/shop',
    runtimeDirectory: '/run/cowherd/shop',
    python: '/usr/bin/python3',
    supervisor: { pid: 8, rss: 1 },
    keeperRss: 1,
    sampleOf: () => ({ memory, minorFaults: 1, majorFaults: 1, sampledAtMs: 1 }),
    rowOf: () => null,
    isAlive: () => true,
    sampling: { budgetPercent: 1, spentPercent: 1 },
    host: { memory_total: 1, memory_free: 1, memory_available: 1, page_cache: 1 },
  });
}
