import { expect, test } from 'vitest';
import type { Draft } from '../../herd/draft.ts';
import { initialState } from '../../herd/state.ts';
import { sampleRow, sampleWorker } from '../../samples/samples.ts';
import * as tallying from './tallying.ts';

function draft(): Draft {
  return { state: initialState(), nowMs: 5000, actions: [], answer: null };
}

test('the counters of a slot add up over its workers, and those of all slots over their requests', () => {
  const herd = draft();
  const counters = { requestsStarted: 12, requestsFinished: 10, row: sampleRow(1), minorFaults: 7, majorFaults: 1 };
  tallying.workerGone(herd, 0, counters);
  tallying.workerGone(herd, 0, counters);
  tallying.workerRetired(herd, 1, { row: sampleRow(3), minorFaults: 40, majorFaults: 0 });
  // A worker whose row could not be read adds nothing.
  tallying.workerGone(herd, 1, { requestsStarted: 5, requestsFinished: 5 });
  const { slots, durations } = herd.state.tallies;
  expect(slots[0]).toMatchObject({ requests: 20, responseErrors: 4, busySeconds: 3, guardHeld: 8, minorFaults: 14 });
  expect(slots[1]).toMatchObject({ requests: 10, collectionsInsideSeconds: 0.5, minorFaults: 40 });
  expect(durations.seconds).toBe(6);
  expect(durations.buckets.at(0)).toBe(24);
  expect(durations.buckets.at(-1)).toBe(6);
});

test.each([
  [{ abortedAtMs: 3 }, { exitStatus: null, signal: 9 }, 'timeout'],
  [{ abortedAtMs: 3, readyAtMs: null }, { exitStatus: null, signal: 9 }, 'boot timeout'],
  [{}, { exitStatus: null, signal: 9, outOfMemory: true }, 'out of memory'],
  [{}, { exitStatus: null, signal: 11 }, 'SIGSEGV'],
  [{}, { exitStatus: 3, signal: null }, 'boot'],
  [{}, { exitStatus: 7, signal: null }, 'exit'],
] as const)('a worker %o that ended with %o died of: %s', (worker, ending, cause) => {
  const herd = draft();
  tallying.workerDied(herd, sampleWorker(1, 0, worker), ending);
  expect(herd.state.tallies.deaths).toEqual({ [cause]: 1 });
});

test('rollouts are counted by kind and outcome; the time of the last reload is that of one that was done', () => {
  const herd = draft();
  tallying.rolloutEnded(herd, 'reload', null);
  tallying.rolloutEnded({ ...herd, nowMs: 9000 }, 'reload', 'the new mold died');
  tallying.rolloutEnded({ ...herd, nowMs: 9000 }, 'refork', null);
  expect(herd.state.tallies).toMatchObject({
    rollouts: { 'reload done': 1, 'reload failed': 1, 'refork done': 1 },
    lastReloadAtMs: 5000,
  });
});
