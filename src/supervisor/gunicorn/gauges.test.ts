import { describe, expect, test } from 'vitest';
import { sampleMold, sampleSettings, sampleWorker } from '../samples/samples.ts';
import { initialState, type HerdState } from '../herd/state.ts';
import { gaugesDue } from './gauges.ts';

const BOTH = { workers: true, backlog: true };

function herd(gauges = BOTH, changes: Partial<HerdState> = {}): HerdState {
  return {
    ...initialState(),
    phase: 'serving',
    target: 2,
    generation: 1,
    molds: { 1: sampleMold(1, { pid: 10, settings: { ...sampleSettings, gauges } }) },
    workers: { 11: sampleWorker(11, 0), 12: sampleWorker(12, 1) },
    keeperPulse: {
      heardAtMs: 0,
      isSilent: false,
      queues: [
        { name: 'a', waiting: 3, most: 9 },
        { name: 'b', waiting: 4, most: 9 },
      ],
    },
    ...changes,
  };
}

function told(workers: number | null, backlog: number | null): unknown {
  return { type: 'to_mold', generation: 1, message: { type: 'gauges', workers, backlog } };
}

test('the number of workers is told when it has changed, the backlog of all listeners each time', () => {
  const first = gaugesDue(herd(), null);
  expect(first).toEqual({ told: { generation: 1, workers: 2 }, command: told(2, 7) });
  const second = gaugesDue(herd(), first.told);
  expect(second).toEqual({ told: first.told, command: told(null, 7) });
  const fewer = herd(BOTH, { workers: { 11: sampleWorker(11, 0) } });
  expect(gaugesDue(fewer, second.told)).toEqual({ told: { generation: 1, workers: 1 }, command: told(1, 7) });
});

test('workers that leave, and those beyond the wanted number, do not count, as with gunicorn', () => {
  const leaving = herd(BOTH, { workers: { 11: sampleWorker(11, 0), 12: sampleWorker(12, 1, { phase: 'draining' }) } });
  expect(gaugesDue(leaving, null).told?.workers).toBe(1);
  expect(gaugesDue(herd(BOTH, { target: 1 }), null).told?.workers).toBe(1);
});

describe('the mold of another generation', () => {
  test('is told the same number again: its logger may be another one', () => {
    const { told: before } = gaugesDue(herd(), null);
    const mold = sampleMold(2, { pid: 20, settings: { ...sampleSettings, gauges: BOTH } });
    const after = herd(BOTH, { generation: 2, molds: { 2: mold } });
    expect(gaugesDue(after, before).told).toEqual({ generation: 2, workers: 2 });
  });
});

test.each([
  ['the logger takes none', herd({ workers: false, backlog: false })],
  [
    'the settings are of an older mold',
    herd(BOTH, { molds: { 1: sampleMold(1, { pid: 10, settings: sampleSettings }) } }),
  ],
  ['there is no mold', herd(BOTH, { molds: {} })],
  ['the herd stops', herd(BOTH, { phase: 'stopping' })],
])('nothing is told when %s', (_why, state) => {
  expect(gaugesDue(state, null)).toEqual({ told: null, command: null });
});

test('only one of the two may be wanted', () => {
  expect(gaugesDue(herd({ workers: true, backlog: false }), null).command).toEqual(told(2, null));
});
