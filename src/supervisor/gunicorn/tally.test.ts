import { expect, test } from 'vitest';
import type { KeeperMessage } from '../../agent/messages.ts';
import type { Action, HerdEvent } from '../herd/events.ts';
import { SIGABRT, SIGKILL, SIGTERM } from '../herd/signals.ts';
import { initialState, type RolloutOutcome } from '../herd/state.ts';
import { sampleWorker } from '../samples/samples.ts';
import { Tally } from './tally.ts';

const TICK: HerdEvent = { type: 'tick', heartbeats: [] };

function says(message: KeeperMessage): HerdEvent {
  return { type: 'keeper_says', message };
}

function forked(pid: number): HerdEvent {
  return says({ type: 'worker_forked', generation: 1, slot: 0, pid, forked_monotonic_ns: 1, scoreboard: 3 });
}

test('workers have numbers in the order of their forks, and dead ones lose them', () => {
  const tally = new Tally();
  for (const pid of [12, 11]) tally.observe(initialState(), forked(pid), []);
  expect([tally.ageOf(12), tally.ageOf(11)]).toEqual([1, 2]);
  const exited = { exit_status: 0, signal: null, minor_faults: 0, major_faults: 0, cpu_seconds: 0, counters: null };
  tally.observe(initialState(), says({ type: 'process_exited', pid: 12, ...exited }), []);
  tally.observe(initialState(), forked(12), []);
  expect(tally.ageOf(12)).toBe(3);
  expect(tally.counts.spawned).toBe(3);
});

test('an adopted herd has them in the order of its forks', () => {
  const tally = new Tally();
  const state = initialState();
  state.workers = { 11: sampleWorker(11, 0, { forkedAtMs: 9 }), 12: sampleWorker(12, 1, { forkedAtMs: 5 }) };
  tally.observe(state, { type: 'adopted' } as HerdEvent, []);
  expect([tally.ageOf(12), tally.ageOf(11)]).toEqual([1, 2]);
});

test('workers that were told to end, and reloads that took place, are counted', () => {
  const tally = new Tally();
  tally.observe(initialState(), forked(11), []);
  const rollout: RolloutOutcome = {
    kind: 'reload',
    by: 'x',
    from: 1,
    to: 2,
    startedAtMs: 0,
    endedAtMs: 1,
    failure: null,
  };
  const signals = [SIGTERM, SIGKILL, SIGABRT].map((signal): Action => ({ do: 'signal', pid: 11, signal }));
  tally.observe(initialState(), TICK, [
    ...signals,
    { do: 'signal', pid: 99, signal: SIGTERM },
    { do: 'record_rollout', outcome: rollout },
    { do: 'record_rollout', outcome: { ...rollout, failure: 'no' } },
    { do: 'record_rollout', outcome: { ...rollout, kind: 'refork' } },
  ]);
  expect(tally.counts).toEqual({ spawned: 1, killed: 2, reloads: 1 });
});
