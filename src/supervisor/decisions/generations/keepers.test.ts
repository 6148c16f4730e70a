import { expect, test } from 'vitest';
import { PROTOCOL_VERSION } from '../../../agent/messages.ts';
import { decide } from '../decide.ts';
import type { Action, HerdEvent } from '../../herd/events.ts';
import { HOPELESS_DEATHS, SILENT_MS, pauseAfterKeeperDeathsMs } from './keepers.ts';
import { newMold } from '../processes/molds.ts';
import { initialState, type HerdState } from '../../herd/state.ts';
import { newWorker } from '../processes/workers.ts';

const dies: HerdEvent = { type: 'keeper_exited', python: 'python3', exitStatus: null, signal: 'SIGKILL' };
const left: HerdEvent = { type: 'orphans_gone', requestsFinished: 20 };

class Herd {
  nowMs = 1_000_000;
  actions: Action[] = [];
  state: HerdState = {
    ...initialState(),
    phase: 'serving',
    keeperPid: 40,
    keeperReadyAtMs: 0,
    target: 1,
    generation: 3,
    newestGeneration: 3,
    molds: { 3: { ...newMold(3, 0, []), pid: 50, phase: 'ready' } },
    workers: { 101: { ...newWorker(101, 0, 3, 0), phase: 'ready', readyAtMs: 0 } },
    requestsOfGone: 5,
    announcedReady: true,
  };

  event(event: HerdEvent): this {
    ({ state: this.state, actions: this.actions } = decide(this.state, event, this.nowMs));
    return this;
  }

  get does(): string[] {
    return this.actions.map((action) => action.do).filter((what) => what !== 'log');
  }

  keeperReady(pid: number): this {
    return this.event({
      type: 'keeper_says',
      message: {
        type: 'keeper_ready',
        protocol: PROTOCOL_VERSION,
        pid,
        executable: 'python3',
        python_version: '3.13.0',
        implementation: 'cpython',
        free_threaded: false,
      },
    });
  }
}

test('its processes are waited for, then another keeper is started, with a new generation', () => {
  const herd = new Herd().event(dies);
  expect(herd.actions).toContainEqual({ do: 'wait_for_orphans', pids: [101, 50], slots: { 101: 0 } });
  expect(herd.does).not.toContain('start_keeper');
  expect(herd.state).toMatchObject({ phase: 'starting', workers: {}, molds: {}, keeperPid: null });
  herd.event(left);
  expect(herd.does).toEqual(['start_keeper']);
  expect(herd.state.requestsOfGone).toBe(25);
  herd.keeperReady(41);
  expect(herd.actions).toContainEqual({ do: 'start_mold', generation: 4, rejected: [], occasion: 'first' });
});

test('a rollout is lost with it', () => {
  const herd = new Herd().event({ type: 'reload_requested', by: 'SIGHUP' }).event(dies);
  expect(herd.state.rollout).toBeNull();
  expect(herd.state.lastRollout).toMatchObject({ kind: 'reload', failure: 'the keeper (pid 40) was ended by SIGKILL' });
});

test('the first death costs no pause, later ones in a row cost growing pauses, and then the herd ends', () => {
  const pauses: number[] = [];
  const herd = new Herd();
  for (let death = 1; death < HOPELESS_DEATHS; death += 1) {
    herd.event(dies).event(left);
    const wake = herd.actions.find((action) => action.do === 'wake');
    pauses.push(wake === undefined ? 0 : wake.atMs - herd.nowMs);
    herd.nowMs += pauses.at(-1) ?? 0;
    if (wake !== undefined) herd.event({ type: 'woken', heartbeats: [] });
    expect(herd.does).toEqual(['start_keeper']);
    // Every other keeper dies before it can report that it is ready.
    if (death % 2 === 0) herd.keeperReady(40 + death);
  }
  expect(pauses).toEqual([0, 1000, 2000, 4000]);
  expect(pauseAfterKeeperDeathsMs(100)).toBe(30_000);
  herd.event(dies);
  expect(herd.actions).toContainEqual({
    do: 'end',
    exitStatus: 1,
    error: { code: 'KEEPER_DIED', detail: expect.stringContaining('the last of 5 in a row') },
  });
});

test('a keeper with a long life ends a row of deaths', () => {
  const herd = new Herd().event(dies).event(left).keeperReady(41);
  herd.nowMs += 61_000;
  expect(herd.event(dies).state.keeperDeathsInARow).toBe(1);
});

test('a stop while its processes are waited for ends when they are gone', () => {
  const herd = new Herd().event(dies).event({ type: 'stop_requested', by: 'SIGTERM', quick: false });
  expect(herd.does).toEqual([]);
  herd.event(left);
  expect(herd.actions).toEqual([{ do: 'end', exitStatus: 0, error: null }]);
});

test("a warning is logged if the herd can't be adopted later", () => {
  const herd = new Herd().event({
    type: 'keeper_says',
    message: {
      type: 'keeper_ready',
      protocol: PROTOCOL_VERSION,
      pid: 40,
      executable: 'python3',
      python_version: '3.13.0',
      implementation: 'cpython',
      free_threaded: false,
      adoption_problem: 'keeper.sock: No space left on device',
    },
  });
  expect(herd.actions).toContainEqual(expect.objectContaining({ do: 'log', level: 'warning' }));
});

test('a silent keeper is logged once, and so is its recovery', () => {
  const herd = new Herd();
  const tickAfter = (ms: number): string[] => {
    herd.nowMs += ms;
    herd.event({ type: 'tick', heartbeats: [] });
    return herd.actions.flatMap((action) => (action.do === 'log' ? [`${action.level}: ${action.text}`] : []));
  };
  const queues = [{ name: 'http://127.0.0.1:8000', waiting: 3, most: 2048 }];
  herd.event({ type: 'keeper_says', message: { type: 'pulse', queues } });
  expect(herd.state.keeperPulse).toEqual({ heardAtMs: herd.nowMs, isSilent: false, queues });
  expect(tickAfter(SILENT_MS - 1)).toEqual([]);
  expect(herd.does).toContain('ask_keeper');
  expect(tickAfter(1)).toEqual([
    expect.stringMatching(/^error: The keeper \(pid 40\) has not answered for 5 s.*kill -CONT 40/),
  ]);
  expect(tickAfter(60_000)).toEqual([]);
  herd.event({ type: 'keeper_says', message: { type: 'pulse', queues: [] } });
  expect(herd.actions).toContainEqual({
    do: 'log',
    level: 'info',
    text: 'The keeper (pid 40) answers again after 65 s',
  });
});
