import { expect, test } from 'vitest';
import { decide } from '../decide.ts';
import type { HerdEvent } from '../../herd/events.ts';
import { SIGTERM } from '../../herd/signals.ts';
import { initialState, type HerdState } from '../../herd/state.ts';
import { forksIn, sampleMold, sampleSettings, sampleWorker, signalsIn } from '../../samples/samples.ts';

const REQUEST: HerdEvent = { type: 'replace_requested', pid: 11, by: 'gunicornc' };

function herd(changes: Partial<HerdState> = {}): HerdState {
  return {
    ...initialState(),
    phase: 'serving',
    settings: sampleSettings,
    target: 2,
    generation: 1,
    newestGeneration: 1,
    announcedReady: true,
    molds: { 1: sampleMold(1, { pid: 10, settings: sampleSettings, listeners: ['http://127.0.0.1:1'] }) },
    workers: { 11: sampleWorker(11, 0), 12: sampleWorker(12, 1) },
    ...changes,
  };
}

test('a worker that is to be replaced leaves when another one is ready', () => {
  const asked = decide(herd(), REQUEST, 5000);
  expect(asked.answer).toEqual({ accepted: true, text: 'Replacing worker 11 (slot 0): gunicornc', generation: null });
  expect(forksIn(asked.actions)).toEqual([2]);
  expect(signalsIn(asked.actions)).toEqual([]);
  const forked = decide(
    asked.state,
    {
      type: 'keeper_says',
      message: { type: 'worker_forked', generation: 1, slot: 2, pid: 13, forked_monotonic_ns: 1, scoreboard: 3 },
    },
    5001,
  );
  expect(signalsIn(forked.actions)).toEqual([]);
  const ready = decide(
    forked.state,
    {
      type: 'keeper_says',
      message: { type: 'from_worker', generation: 1, pid: 13, message: { type: 'worker_ready' } },
    },
    5002,
  );
  expect(signalsIn(ready.actions)).toEqual([[11, SIGTERM]]);
});

test.each([
  ['is not one', herd({ target: 1, workers: { 12: sampleWorker(12, 1) } }), 'Worker 11 not found'],
  ['is of a herd that stops', herd({ phase: 'stopping' }), 'the herd is stopping'],
])('a process that %s is refused', (_what, state, text) => {
  const { answer, actions } = decide(state, REQUEST, 5000);
  expect(answer).toEqual({ accepted: false, text, generation: null });
  expect(forksIn(actions)).toEqual([]);
});
