/** A worker that is to become a mold: the agent's messages about it, and their consequences. */
import { describe, expect, test } from 'vitest';
import type { KeeperMessage, WorkerMessage } from '../../../agent/messages.ts';
import { decide } from '../decide.ts';
import type { Action, HerdEvent } from '../../herd/events.ts';
import { forksIn, sampleMold, sampleSettings, sampleWorker, signalsIn } from '../../samples/samples.ts';
import { initialState, type HerdState } from '../../herd/state.ts';
import { SIGRETIRE, SIGTERM } from '../../herd/signals.ts';

const MOLD = 50;

/** Two workers, of which 102 has answered more, and a refork under way that has told 102 to retire. */
class Herd {
  state: HerdState = {
    ...initialState(),
    phase: 'serving',
    settings: sampleSettings,
    target: 2,
    generation: 1,
    newestGeneration: 1,
    molds: { 1: sampleMold(1, { pid: MOLD, settings: sampleSettings, listeners: ['x'] }) },
    workers: {
      101: sampleWorker(101, 1, { forkedAtMs: 101, requestsFinished: 5 }),
      102: sampleWorker(102, 2, { forkedAtMs: 102, requestsFinished: 9 }),
    },
  };
  actions: Action[] = [];

  constructor() {
    this.event({ type: 'refork_requested', by: 'a test' });
    expect(this.forks.length).toBe(1);
    const of = { generation: 1, pid: 103 };
    this.says({ type: 'worker_forked', ...of, slot: this.forks[0]!, forked_monotonic_ns: 0, scoreboard: 9 });
    this.workerSays(103, { type: 'worker_ready' });
    expect(this.signals).toEqual([[102, SIGRETIRE]]);
  }

  event(event: HerdEvent): void {
    ({ state: this.state, actions: this.actions } = decide(this.state, event, 1000));
  }

  says(message: KeeperMessage): void {
    this.event({ type: 'keeper_says', message });
  }

  workerSays(pid: number, message: WorkerMessage): void {
    this.says({ type: 'from_worker', generation: 1, pid, message });
  }

  get forks(): number[] {
    return forksIn(this.actions);
  }

  get signals(): [number, number][] {
    return signalsIn(this.actions);
  }
}

describe('the worker that has answered most', () => {
  test('is adopted as the next mold, and its answered requests stay counted', () => {
    const herd = new Herd();
    herd.workerSays(102, { type: 'retired', requests_finished: 12 });
    expect(herd.state.requestsOfGone).toBe(12);
    expect(herd.actions).toContainEqual({ do: 'adopt_mold', pid: 102, generation: 2 });
    expect(herd.actions).toContainEqual({
      do: 'tell_mold',
      generation: 1,
      message: { type: 'worker_retired', pid: 102 },
    });
    expect(Object.keys(herd.state.workers)).toEqual(['101', '103']);
  });

  test('may die before its order arrives: the old generation keeps serving', () => {
    const herd = new Herd();
    herd.workerSays(102, { type: 'retired', requests_finished: 12 });
    herd.says({
      type: 'process_exited',
      pid: 102,
      exit_status: null,
      signal: 9,
      minor_faults: 0,
      major_faults: 0,
      cpu_seconds: 0,
      counters: null,
    });
    expect(herd.state.rollout).toBeNull();
    expect(herd.state.lastRollout?.failure).toMatch(/new mold \(pid 102\) was ended by SIGKILL/);
    expect(Object.keys(herd.state.molds)).toEqual(['1']);
    expect(herd.state.generation).toBe(1);
  });

  test('may refuse: it keeps serving, and the herd keeps its size', () => {
    const herd = new Herd();
    herd.workerSays(102, { type: 'retire_refused', reason: 'it is green' });
    expect(herd.state.rollout).toBeNull();
    expect(herd.state.lastRollout?.failure).toBe('it is green');
    expect(herd.state.workers[102]?.phase).toBe('ready');
    // The oldest of three.
    expect(herd.signals).toEqual([[101, SIGTERM]]);
    herd.workerSays(102, { type: 'retire_refused', reason: 'again' });
    expect(herd.signals).toEqual([]);
  });
});
