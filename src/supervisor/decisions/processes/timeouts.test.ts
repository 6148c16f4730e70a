import { describe, expect, test } from 'vitest';
import type { Settings } from '../../../agent/messages.ts';
import type { Draft } from '../../herd/draft.ts';
import type { Heartbeat } from '../../herd/events.ts';
import { sampleSettings, sampleWorker } from '../../samples/samples.ts';
import { initialState, type HerdState, type WorkerState } from '../../herd/state.ts';
import { ownEndingMs } from './own-ending.ts';
import { look, tellLastStack, tellStack } from './timeouts.ts';
import { SIGABRT, SIGKILL, SIGTELL } from '../../herd/signals.ts';

function herd(worker: Partial<WorkerState> = {}, settings: Partial<Settings> = {}): HerdState {
  return {
    ...initialState(),
    phase: 'serving',
    settings: { ...sampleSettings, timeout_seconds: 30, ...settings },
    workers: { 101: sampleWorker(101, 0, { forkedAtMs: 0, readyAtMs: 100, ...worker }) },
  };
}

function at(state: HerdState, nowMs: number, beat: Partial<Heartbeat> | null = {}) {
  const draft: Draft = { state, nowMs, actions: [], answer: null };
  const heartbeats = beat === null ? [] : [{ pid: 101, agoMs: 0, requestsFinished: 0, inFlight: 0, ...beat }];
  look(draft, heartbeats);
  return {
    signals: draft.actions.flatMap((action) => (action.do === 'signal' ? [action.signal] : [])),
    logs: draft.actions.flatMap((action) => (action.do === 'log' ? [action.text] : [])),
    wakes: draft.actions.flatMap((action) => (action.do === 'wake' ? [action.atMs] : [])),
  };
}

describe('a silent worker', () => {
  test('is asked for its stack, and killed a second later, however many ticks there are', () => {
    const state = herd();
    expect(at(state, 50_000, { agoMs: 30_000 }).signals).toEqual([]);
    expect(at(state, 50_001, { agoMs: 30_001, inFlight: 2, requestsFinished: 7 })).toEqual({
      signals: [SIGABRT],
      logs: ['WORKER TIMEOUT (pid:101): silent for 30 s, 2 request(s) in flight, 7 answered before'],
      wakes: [51_001],
    });
    expect(at(state, 50_300, { agoMs: 30_300 }).signals).toEqual([]);
    const last = at(state, 51_001, { agoMs: 31_001, stack: 'File "shop.py", line 3 in index' });
    expect(last.signals).toEqual([SIGKILL]);
    expect(last.logs).toEqual(['Stack of worker 101 (slot 0):\nFile "shop.py", line 3 in index']);
  });

  test('that is draining has the graceful timeout', () => {
    const state = herd({ phase: 'draining', drainedAtMs: 10_000 }, { graceful_timeout_seconds: 60 });
    expect(at(state, 68_999, { agoMs: 60_000 }).signals).toEqual([]);
    expect(at(state, 69_000, { agoMs: 60_000 }).signals).toEqual([SIGTELL]);
    expect(at(state, 70_000, { agoMs: 60_000 }).signals).toEqual([SIGKILL]);
  });

  test('that is draining and ends its requests itself has time to leave afterwards', () => {
    const settings = { graceful_timeout_seconds: 60, worker_class: 'asgi' };
    const state = herd({ phase: 'draining', drainedAtMs: 10_000 }, settings);
    expect(at(state, 69_500, { agoMs: 60_000 }).signals).toEqual([SIGTELL]);
    expect(at(state, 70_000 + ownEndingMs(settings) - 1, { agoMs: 60_000 }).signals).toEqual([]);
    expect(at(state, 70_000 + ownEndingMs(settings), { agoMs: 60_000 }).signals).toEqual([SIGKILL]);
  });
});

describe('a worker that does not become ready', () => {
  const booting = { phase: 'booting', readyAtMs: null } as const;

  test('has the timeout, as in gunicorn, whether it has a heartbeat or not', () => {
    const state = herd(booting);
    expect(at(state, 30_000, null).signals).toEqual([]);
    expect(at(state, 30_001, null)).toMatchObject({
      signals: [SIGABRT],
      logs: ['WORKER TIMEOUT (pid:101): not ready 30 s after its fork'],
    });
    expect(at(state, 31_001, null).signals).toEqual([SIGKILL]);
  });

  test.each([
    [{ boot_timeout_seconds: 90 }, 90_000],
    [{ boot_timeout_seconds: 5 }, 5000],
    [{ boot_timeout_seconds: 5, timeout_seconds: 0 }, 5000],
  ])('has the boot timeout, if there is one: %o', (settings, boundMs) => {
    const state = herd(booting, settings);
    expect(at(state, boundMs, { agoMs: boundMs }).signals).toEqual([]);
    expect(at(state, boundMs + 1, { agoMs: boundMs + 1 }).signals).toEqual([SIGABRT]);
  });

  test('may take forever without a timeout', () => {
    expect(at(herd(booting, { timeout_seconds: 0 }), 1e9).signals).toEqual([]);
  });
});

test('a stack is logged once', () => {
  const state = herd();
  const draft: Draft = { state, nowMs: 0, actions: [], answer: null };
  tellStack(draft, state.workers[101], null);
  tellStack(draft, state.workers[101], 'here');
  tellStack(draft, state.workers[101], 'here');
  tellStack(draft, undefined, 'nowhere');
  expect(draft.actions).toEqual([{ do: 'log', level: 'error', text: 'Stack of worker 101 (slot 0):\nhere' }]);
});

test.each([
  ['finishes', null, { exitStatus: 0, signal: null }, false],
  ['was stuck, and ends well after all', 5, { exitStatus: 0, signal: null }, true],
  ['is killed', null, { exitStatus: null, signal: SIGKILL }, true],
  ['crashes', null, { exitStatus: null, signal: 11 }, true],
] as const)('the last stack of a worker that %s', (_, abortedAtMs, ending, isTold) => {
  const state = herd({ abortedAtMs });
  const draft: Draft = { state, nowMs: 0, actions: [], answer: null };
  tellLastStack(draft, state.workers[101], ending, 'here');
  expect(draft.actions).toHaveLength(isTold ? 1 : 0);
});
