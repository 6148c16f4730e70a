/** Decisions by example: an event, and what the supervisor does about it. */
import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import {
  PROTOCOL_VERSION,
  type KeeperMessage,
  type MoldMessage,
  type WorkerMessage,
  type Settings,
} from '../../agent/messages.ts';
import { decide } from './decide.ts';
import type { Action, ExitCounters, Heartbeat, HerdEvent } from '../herd/events.ts';
import { forksIn, sampleSettings, signalsIn } from '../samples/samples.ts';
import { BACKGROUND_MS } from './processes/molds.ts';
import { MOST_WORKERS, initialState, type HerdState } from '../herd/state.ts';
import type { Writable } from '../herd/writable.ts';
import { hopelessDeaths, pauseAfterDeathsMs } from './processes/workers.ts';
import { SIGABRT, SIGFINISH, SIGKILL, SIGQUIT, SIGTELL, SIGTERM, SIGUSR1 } from '../herd/signals.ts';

const MOLD = 50;

/** A herd that takes events and remembers the latest actions. */
class Herd {
  state: Writable<HerdState> = initialState();
  nowMs = 0;
  actions: Action[] = [];

  event(event: HerdEvent): this {
    ({ state: this.state, actions: this.actions } = decide(this.state, event, this.nowMs));
    return this;
  }

  hears(message: KeeperMessage): this {
    return this.event({ type: 'keeper_says', message });
  }

  moldSays(message: MoldMessage, generation = 1): this {
    return this.hears({ type: 'from_mold', generation, message });
  }

  workerSays(pid: number, message: WorkerMessage, generation = 1): this {
    return this.hears({ type: 'from_worker', generation, pid, message });
  }

  after(ms: number, heartbeats: Heartbeat[] = []): this {
    this.nowMs += ms;
    return this.event({ type: 'tick', heartbeats });
  }

  keeperReady(protocol = PROTOCOL_VERSION): this {
    return this.hears({
      type: 'keeper_ready',
      protocol,
      pid: 40,
      executable: 'python3',
      python_version: '3.13.0',
      implementation: 'cpython',
      free_threaded: false,
    });
  }

  configured(changes: Partial<Settings> = {}, generation = 1): this {
    return this.moldSays(
      {
        type: 'configured',
        settings: { ...sampleSettings, ...changes },
        python_version: '3.13.0',
        gunicorn_version: '27.0.1',
        executable: 'python3',
        remarks: [],
      },
      generation,
    );
  }

  listening(generation = 1, listeners = ['http://127.0.0.1:8000']): this {
    return this.hears({ type: 'listening', generation, listeners });
  }

  moldReady(generation = 1): this {
    return this.moldSays(
      { type: 'mold_ready', policy: 'freeze', asked_policy: 'auto', remarks: [], report: {}, modules: 9, threads: 0 },
      generation,
    );
  }

  forked(pid: number, slot: number, generation = 1): this {
    return this.hears({ type: 'worker_forked', generation, slot, pid, forked_monotonic_ns: 0, scoreboard: 9 });
  }

  workerReady(pid: number): this {
    return this.workerSays(pid, { type: 'worker_ready' });
  }

  exits(
    pid: number,
    ending: { status?: number; signal?: number },
    counters?: ExitCounters,
    stack: string | null = null,
  ): this {
    const message: KeeperMessage = {
      type: 'process_exited',
      pid,
      exit_status: ending.status ?? null,
      signal: ending.signal ?? null,
      minor_faults: 0,
      major_faults: 0,
      cpu_seconds: 0,
      counters:
        counters === undefined
          ? null
          : {
              requests_started: counters.requestsStarted,
              requests_finished: counters.requestsFinished,
              response_errors: counters.responseErrors ?? 0,
            },
    };
    return this.event({ type: 'keeper_says', message, death: { outOfMemory: null, stack } });
  }

  get does(): string[] {
    return this.actions.map((action) => action.do).filter((what) => !['log', 'wake', 'ask_keeper'].includes(what));
  }

  get logs(): string[] {
    return this.actions.flatMap((action) => (action.do === 'log' ? [`${action.level}: ${action.text}`] : []));
  }

  get forks(): number[] {
    return forksIn(this.actions);
  }

  get signals(): [number, number][] {
    return signalsIn(this.actions);
  }

  get wakes(): number[] {
    return this.actions.flatMap((action) => (action.do === 'wake' ? [action.atMs - this.nowMs] : []));
  }

  get end(): Action | undefined {
    return this.actions.find((action) => action.do === 'end');
  }
}

/** A herd whose mold is loading. */
function loading(changes: Partial<Settings> = {}): Herd {
  return new Herd().keeperReady().hears({ type: 'mold_started', generation: 1, pid: MOLD }).configured(changes);
}

/** A herd whose workers 101, 102 … are ready. */
function serving(changes: Partial<Settings> = {}): Herd {
  const herd = loading(changes).listening().moldReady();
  for (const slot of herd.forks) herd.forked(101 + slot, slot).workerReady(101 + slot);
  return herd;
}

describe('starting', () => {
  test('the keeper comes first, then the mold, the listeners and the workers', () => {
    const herd = new Herd();
    expect(herd.does).toEqual([]);
    expect(herd.keeperReady().does).toEqual(['start_mold']);
    expect(herd.hears({ type: 'mold_started', generation: 1, pid: MOLD }).does).toEqual(['watch_process']);
    expect(herd.configured({ pidfile: '/run/shop.pid' }).does).toEqual(['write_pidfile', 'use_settings', 'listen']);
    expect(herd.listening().does).toEqual(['give_listeners']);
    expect(herd.moldReady().forks).toEqual([0, 1]);
    expect(herd.state.phase).toBe('serving');
    expect(herd.forked(101, 0).does).toEqual(['watch_process']);
    expect(herd.workerReady(101).does).toEqual([]);
    expect(herd.forked(102, 1).workerReady(102).does).toEqual(['announce_serving']);
  });

  test('announces only once that it serves', () => {
    const herd = serving();
    herd.exits(101, { signal: SIGKILL });
    const [slot = -1] = herd.forks;
    expect(herd.forked(103, slot).workerReady(103).does).toEqual([]);
  });

  test('forks nothing before there are listeners', () => {
    const herd = loading().moldReady();
    expect(herd.forks).toEqual([]);
    expect(herd.listening(1, ['unix:/run/shop.sock']).forks).toEqual([0, 1]);
  });

  test('has at least one worker', () => {
    expect(serving({ workers: 0 }).state.target).toBe(1);
  });

  test('ends with an error if the keeper has another version', () => {
    const herd = new Herd().keeperReady(PROTOCOL_VERSION + 1);
    expect(herd.does).toEqual(['tell_keeper_to_leave']);
    herd.event({ type: 'keeper_exited', python: 'python3', exitStatus: 0, signal: null });
    expect(herd.end).toMatchObject({ error: { code: 'PROTOCOL_MISMATCH' } });
  });

  test.each([
    [
      'the mold says why it failed',
      (herd: Herd) =>
        herd.moldSays({ type: 'mold_failed', code: 'APP_IMPORT_FAILED', detail: 'shop' }).exits(MOLD, { status: 1 }),
      'APP_IMPORT_FAILED',
    ],
    ['the mold is killed', (herd: Herd) => herd.exits(MOLD, { signal: SIGKILL }), 'MOLD_OUT_OF_MEMORY'],
    ['the mold crashes', (herd: Herd) => herd.exits(MOLD, { signal: 11 }), 'MOLD_DIED'],
    [
      'the address is in use',
      (herd: Herd) =>
        herd
          .hears({ type: 'listen_failed', generation: 1, code: 'ADDRESS_IN_USE', address: ':80', reason: 'in use' })
          .exits(MOLD, { signal: SIGKILL }),
      'ADDRESS_IN_USE',
    ],
  ])('ends with an error when %s', (_what, happens, code) => {
    const herd = loading();
    happens(herd);
    expect(herd.does).toContain('tell_keeper_to_leave');
    herd.event({ type: 'keeper_exited', python: 'python3', exitStatus: 0, signal: null });
    expect(herd.end).toMatchObject({ error: { code } });
    expect(herd.state.phase).toBe('ended');
  });

  test('ends at once if the program is no Python', () => {
    const herd = new Herd().event({ type: 'keeper_exited', python: '/bin/true', exitStatus: 0, signal: null });
    expect(herd.end).toMatchObject({
      error: { code: 'PYTHON_NOT_FOUND', detail: expect.stringContaining('/bin/true') },
    });
  });

  test('a policy that fails its self-test is logged once, and the same mold continues', () => {
    const herd = loading().listening();
    herd.moldSays({ type: 'policy_rejected', policy: 'immortal', reason: 'the scout died' });
    expect(herd.logs).toEqual([
      'warning: Heap policy immortal failed its self-test, trying the next one: the scout died',
    ]);
    expect(herd.configured().does).toEqual(['use_settings', 'listen']);
    expect(herd.listening().does).toEqual(['give_listeners']);
    expect(herd.moldReady().forks).toEqual([0, 1]);
  });

  test("a check of the configuration ends with the mold's status, and serves nothing", () => {
    const herd = new Herd().keeperReady().hears({ type: 'mold_started', generation: 1, pid: MOLD });
    herd.moldSays({ type: 'mold_finished', status: 0, daemonize: false }).exits(MOLD, { status: 0 });
    herd.event({ type: 'keeper_exited', python: 'python3', exitStatus: 0, signal: null });
    expect(herd.end).toEqual({ do: 'end', exitStatus: 0, error: null });
  });
});

describe('a worker that dies', () => {
  test('is replaced at once, in its slot, and the mold is told', () => {
    const herd = serving().exits(101, { signal: SIGKILL }, { requestsStarted: 8, requestsFinished: 7 });
    expect(herd.forks).toEqual([0]);
    expect(herd.logs[0]).toBe(
      'error: Worker 101 (slot 0) was ended by SIGKILL (perhaps out of memory), with 1 request(s) in flight',
    );
    expect(herd.actions).toContainEqual({
      do: 'tell_mold',
      generation: 1,
      message: { type: 'worker_exited', pid: 101, exit_status: null, signal: SIGKILL },
    });
  });

  test('a mold that replaces a dead one keeps its share of the processor, since workers wait for it', () => {
    const herd = serving().exits(MOLD, { signal: SIGKILL }).after(500);
    herd.hears({ type: 'mold_started', generation: 2, pid: 60 });
    expect(herd.does).not.toContain('set_background');
  });

  test('again and again, is replaced after pauses that double', () => {
    const herd = serving();
    let pid = 101;
    const pauses: number[] = [];
    for (let death = 1; death <= 5; death += 1) {
      herd.exits(pid, { status: 1 });
      const [pause] = herd.wakes;
      pauses.push(pause ?? 0);
      if (pause !== undefined) {
        expect(herd.forks).toEqual([]);
        expect(herd.after(pause - 1).forks).toEqual([]);
        herd.after(1);
      }
      expect(herd.forks).toEqual([0]);
      pid += 100;
      herd.forked(pid, 0).workerReady(pid);
    }
    expect(pauses).toEqual([0, 100, 200, 400, 800]);
  });

  test('after a long life, starts a new row of deaths', () => {
    const herd = serving().exits(101, { status: 1 }).forked(103, 0).workerReady(103);
    herd.after(60_000);
    expect(herd.exits(103, { status: 1 }).forks).toEqual([0]);
    expect(herd.state.deathsInARow).toBe(1);
  });

  test('because it asked to be replaced, is no failure', () => {
    const herd = serving().exits(101, { status: 0 });
    expect(herd.forks).toEqual([0]);
    expect(herd.logs).toEqual(['info: Worker 101 (slot 0) exited and is replaced']);
    expect(herd.state.deathsInARow).toBe(0);
  });

  test.each([
    [{ status: 0 }, []],
    [{ signal: SIGKILL }, ['error: Stack of worker 101 (slot 0):\nin index']],
  ])('%j of a worker that left a stack: told only if it did not end well', (ending, told) => {
    const herd = serving();
    const logs = herd.exits(101, ending, undefined, 'in index').logs;
    expect(logs.filter((line) => line.includes('Stack'))).toEqual(told);
  });

  test('reports why, if it could', () => {
    const herd = serving();
    herd.workerSays(101, { type: 'worker_failed', code: 'WORKER_BOOT_FAILED', detail: 'RuntimeError: x' });
    expect(herd.exits(101, { status: 1 }).logs[0]).toContain('exited with status 1: RuntimeError: x');
  });

  test.each([
    [3, 'WORKER_BOOT_FAILED'],
    [4, 'APP_IMPORT_FAILED'],
  ])('with status %i before any was ready, ends the herd: %s', (status, code) => {
    const herd = loading().listening().moldReady().forked(101, 0);
    herd.workerSays(101, { type: 'worker_failed', code, detail: 'no licence' });
    herd.exits(101, { status });
    expect(herd.state.stop?.error).toEqual({ code, detail: 'no licence' });
  });

  test('with status 3 after others were ready, is replaced', () => {
    expect(serving().exits(101, { status: 3 }).state.phase).toBe('serving');
  });

  test.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])('again and again; one was ready: %s, exit_when_hopeless: %s', (wasReady, exits) => {
    const herd = loading({ exit_when_hopeless: exits }).listening().moldReady();
    herd.forked(101, 0).forked(102, 1);
    if (wasReady) herd.workerReady(101);
    for (let death = 1; death <= hopelessDeaths(2); death += 1) {
      expect(herd.state.phase).toBe('serving');
      const pid = 100 + death;
      herd.exits(pid, { signal: constants.signals.SIGSEGV });
      // At once after the first death, later after a pause.
      const [slot] = herd.forks.length > 0 ? herd.forks : herd.after(15_000).forks;
      if (slot !== undefined) herd.forked(102 + death, slot);
    }
    const ends = exits && !wasReady;
    expect(herd.state.phase).toBe(ends ? 'stopping' : 'serving');
    if (ends) expect(herd.state.stop?.error?.code).toBe('WORKERS_KEEP_DYING');
  });

  test('the pauses grow, up to 15 seconds', () => {
    const pauses = Array.from({ length: 100 }, (_, deaths) => pauseAfterDeathsMs(deaths));
    expect(pauses[1]).toBe(0);
    expect(pauses.toSorted((a, b) => a - b)).toEqual(pauses);
    expect(pauses.at(-1)).toBe(15_000);
  });
});

describe('a worker that is silent', () => {
  test('is aborted after the timeout, then killed', () => {
    const herd = serving().after(1000, [{ pid: 101, agoMs: 30_000, requestsFinished: 0, inFlight: 0 }]);
    expect(herd.signals).toEqual([]);
    expect(herd.after(1000, [{ pid: 101, agoMs: 30_001, requestsFinished: 0, inFlight: 0 }]).signals).toEqual([
      [101, SIGABRT],
    ]);
    expect(herd.logs).toEqual([
      'error: WORKER TIMEOUT (pid:101): silent for 30 s, no request in flight, 0 answered before',
    ]);
    expect(herd.after(1000, [{ pid: 101, agoMs: 31_001, requestsFinished: 0, inFlight: 0 }]).signals).toEqual([
      [101, SIGKILL],
    ]);
    expect(herd.exits(101, { signal: SIGKILL }).forks).toEqual([0]);
  });

  test('is left alone with a timeout of 0', () => {
    const herd = serving({ timeout_seconds: 0 });
    expect(herd.after(1000, [{ pid: 101, agoMs: 1e9, requestsFinished: 0, inFlight: 0 }]).signals).toEqual([]);
  });
});

describe('the size of the herd', () => {
  test('grows by a fork, and shrinks by the oldest worker', () => {
    const herd = serving();
    expect(herd.event({ type: 'scale', by: 1 }).forks).toEqual([2]);
    expect(herd.actions).toContainEqual({
      do: 'tell_mold',
      generation: 1,
      message: { type: 'workers_wanted', count: 3 },
    });
    herd.after(5).forked(103, 2).workerReady(103);
    expect(herd.event({ type: 'scale', by: -1 }).signals).toEqual([[101, SIGTERM]]);
    expect(herd.exits(101, { status: 0 }).forks).toEqual([]);
    expect(herd.logs).toEqual([]);
  });

  test('never falls below one', () => {
    const herd = serving({ workers: 1 }).event({ type: 'scale', by: -1 });
    expect(herd.actions).toEqual([]);
    expect(herd.state.target).toBe(1);
  });

  test('is right after it shrinks during a fork', () => {
    const herd = serving().event({ type: 'scale', by: 1 }).event({ type: 'scale', by: -1 });
    expect(herd.signals).toEqual([]);
    expect(herd.forked(103, 2).signals.length).toBe(1);
  });

  test('does not change while the herd starts', () => {
    expect(loading().event({ type: 'scale', by: 1 }).actions).toEqual([]);
  });
});

describe('a serving mold that dies', () => {
  test('is replaced after a pause, while workers keep serving', () => {
    const herd = serving().exits(MOLD, { signal: SIGKILL });
    expect(herd.signals).toEqual([]);
    expect(herd.does).toEqual(['forget_process']);
    expect(herd.wakes).toEqual([500]);
    expect(herd.after(499).does).toEqual([]);
    expect(herd.after(1).does).toEqual(['start_mold']);
    herd.hears({ type: 'mold_started', generation: 2, pid: 60 });
    expect(herd.configured({}, 2).does).toEqual(['use_settings', 'listen']);
    herd.listening(2).moldReady(2);
    expect(herd.forks).toEqual([]);
    expect(herd.exits(101, { status: 1 }).actions).toContainEqual({
      do: 'tell_mold',
      generation: 2,
      message: { type: 'fork', slot: 0 },
    });
  });

  test('again and again, is replaced after pauses that double, up to 30 seconds', () => {
    const herd = serving();
    const pauses: number[] = [];
    for (let generation = 1; generation <= 10; generation += 1) {
      const pid = generation === 1 ? MOLD : 60 + generation;
      herd.exits(pid, { status: 1 });
      const [pause = 0] = herd.wakes;
      pauses.push(pause);
      herd.after(pause).hears({ type: 'mold_started', generation: generation + 1, pid: 61 + generation });
    }
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000]);
  });

  test('takes its pending forks with it: they are ordered again from the next mold', () => {
    const herd = serving().exits(101, { status: 1 });
    expect(herd.forks).toEqual([0]);
    herd.exits(MOLD, { signal: SIGKILL }).after(500).hears({ type: 'mold_started', generation: 2, pid: 60 });
    expect(herd.configured({}, 2).listening(2).moldReady(2).forks).toEqual([0]);
  });
});

describe('a mold that is started for a reload', () => {
  function reloading(): Herd {
    const herd = serving().event({ type: 'reload_requested', by: 'test' });
    return herd.hears({ type: 'mold_started', generation: 2, pid: 60 });
  }
  const background = { do: 'set_background', pid: 60, background: true };

  test('yields the processor to the workers while it loads, but not when it forks', () => {
    const herd = reloading();
    expect(herd.actions).toContainEqual(background);
    herd.configured({}, 2).listening(2);
    expect(herd.moldReady(2).actions).toContainEqual({ ...background, background: false });
    // Only once.
    expect(herd.after(BACKGROUND_MS).does).not.toContain('set_background');
  });

  test('takes its share after it has yielded for long', () => {
    const herd = reloading();
    expect(herd.wakes).toEqual([BACKGROUND_MS]);
    herd.configured({}, 2).listening(2);
    expect(herd.after(BACKGROUND_MS - 1).does).not.toContain('set_background');
    expect(herd.after(1).actions).toContainEqual({ ...background, background: false });
    expect(herd.moldReady(2).does).not.toContain('set_background');
  });
});

describe('stopping', () => {
  const asked: HerdEvent = { type: 'stop_requested', by: 'SIGTERM', quick: false };

  test('the workers leave first, then the mold, then the keeper', () => {
    const herd = serving().event(asked);
    expect(herd.signals).toEqual([
      [101, SIGFINISH],
      [102, SIGFINISH],
    ]);
    expect(herd.wakes).toEqual([19_500]);
    herd.exits(101, { status: 0 });
    expect(herd.forks).toEqual([]);
    expect(herd.exits(102, { status: 0 }).actions).toContainEqual({
      do: 'tell_mold',
      generation: 1,
      message: { type: 'exit', final: true },
    });
    expect(herd.exits(MOLD, { status: 0 }).does).toEqual(['forget_process', 'tell_keeper_to_leave']);
    herd.hears({ type: 'keeper_leaving' });
    herd.event({ type: 'keeper_exited', python: 'python3', exitStatus: 0, signal: null });
    expect(herd.end).toEqual({ do: 'end', exitStatus: 0, error: null });
    expect(herd.event(asked).actions).toEqual([]);
  });

  test('kills workers that have not finished after graceful_timeout', () => {
    const herd = serving().event(asked).exits(101, { status: 0 });
    expect(herd.after(19_499).signals).toEqual([]);
    expect(herd.after(1).signals).toEqual([[102, SIGTELL]]);
    herd.workerSays(102, {
      type: 'in_flight',
      requests: [
        { method: 'GET', path: '/slow', seconds: 20.5 },
        { method: 'WebSocket', path: '/live', seconds: null },
      ],
      response_errors: 1,
    });
    expect(herd.after(499).signals).toEqual([]);
    expect(herd.after(1).signals).toEqual([[102, SIGKILL]]);
    herd.exits(102, { signal: SIGKILL }, { requestsStarted: 9, requestsFinished: 8, responseErrors: 2 });
    expect(herd.logs).toContain(
      'warning: Worker 102 has ended with 2 request(s) cut: GET /slow (after 21.0 s), WebSocket /live',
    );
  });

  test('does not log requests that finished in time or failed earlier', () => {
    const herd = serving().event(asked).exits(101, { status: 0 }).after(19_500);
    herd.workerSays(102, {
      type: 'in_flight',
      requests: [{ method: 'GET', path: '/slow', seconds: 20.5 }],
      response_errors: 2,
    });
    herd.exits(102, { status: 0 }, { requestsStarted: 9, requestsFinished: 9, responseErrors: 2 });
    expect(herd.logs.filter((text) => text.includes('cut'))).toEqual([]);
  });

  test('is quick when requested a second time', () => {
    const herd = serving().event(asked).event({ type: 'stop_requested', by: 'second Ctrl-C', quick: true });
    expect(herd.signals).toEqual([
      [101, SIGQUIT],
      [102, SIGQUIT],
    ]);
    expect(herd.wakes).toEqual([2000]);
    expect(herd.event({ type: 'stop_requested', by: 'third Ctrl-C', quick: true }).signals).toEqual([]);
  });

  test('waits for a pending fork, and tells the new worker to leave', () => {
    const herd = serving().exits(101, { status: 1 }).event(asked).exits(102, { status: 0 });
    expect(herd.actions).not.toContainEqual({ do: 'tell_mold', generation: 1, message: { type: 'exit', final: true } });
    expect(herd.forked(103, 0).signals).toEqual([[103, SIGTERM]]);
  });

  test('kills a mold that is still loading: it has no worker and no request', () => {
    const herd = loading().event(asked);
    expect(herd.signals).toEqual([[MOLD, SIGKILL]]);
  });

  test('kills a mold whose exit hooks take too long', () => {
    const herd = serving().event(asked).exits(101, { status: 0 }).exits(102, { status: 0 });
    expect(herd.after(5000).signals).toEqual([[MOLD, SIGKILL]]);
  });

  test('before there is a mold, involves only the keeper', () => {
    const herd = new Herd().event(asked);
    expect(herd.does).toEqual(['tell_keeper_to_leave']);
  });

  test('because of an error, keeps that error when a stop is requested, and does not wait for a loading mold', () => {
    const herd = loading();
    herd.hears({ type: 'listen_failed', generation: 1, code: 'ADDRESS_IN_USE', address: ':80', reason: 'in use' });
    expect(herd.signals).toEqual([[MOLD, SIGKILL]]);
    herd.event(asked);
    herd.exits(MOLD, { signal: SIGKILL });
    herd.event({ type: 'keeper_exited', python: 'python3', exitStatus: 0, signal: null });
    expect(herd.end).toMatchObject({ error: { code: 'ADDRESS_IN_USE' } });
  });

  test('waits for the orphans of a keeper that dies meanwhile', () => {
    const herd = serving().event(asked).exits(101, { status: 0 });
    herd.event({ type: 'keeper_exited', python: 'python3', exitStatus: null, signal: 'SIGKILL' });
    expect(herd.actions).toContainEqual({ do: 'wait_for_orphans', pids: [102, MOLD], slots: { 102: 1 } });
    expect(herd.end).toMatchObject({ error: { code: 'KEEPER_DIED' } });
  });
});

describe('a pid file that cannot be written', () => {
  const failed = { type: 'pidfile_failed', code: 'PIDFILE_UNWRITABLE', detail: '/nope/x.pid (ENOENT)' } as const;

  test('ends a herd that is starting', () => {
    expect(loading().event(failed).state.stop?.error).toEqual({ code: failed.code, detail: failed.detail });
  });

  test('is an error in the log of a serving herd, after a reload asked for another pid file', () => {
    const herd = serving().event(failed);
    expect(herd.state.stop).toBeNull();
    expect(herd.logs).toEqual([expect.stringContaining('PIDFILE_UNWRITABLE: /nope/x.pid')]);
  });
});

test('a mold that does not answer a fork is killed once per timeout; its slot is not given away twice', () => {
  const herd = serving().event({ type: 'scale', by: 1 });
  expect(herd.forks).toEqual([2]);
  expect(herd.after(60_000).signals).toEqual([]);
  expect(herd.after(1).signals).toEqual([[MOLD, SIGKILL]]);
  expect(herd.logs).toEqual([expect.stringContaining('has not forked for 60 s')]);
  expect(herd.forks).toEqual([]);
  expect(herd.after(1000).signals).toEqual([]);
  herd.exits(MOLD, { signal: SIGKILL });
  expect(herd.state.forking).toEqual({});
});

test('logs are reopened by the mold, and by workers that already handle the signal', () => {
  const herd = serving().event({ type: 'scale', by: 1 }).forked(103, 2).event({ type: 'reopen_logs' });
  expect(herd.signals).toEqual([
    [101, SIGUSR1],
    [102, SIGUSR1],
  ]);
  expect(herd.actions).toContainEqual({ do: 'tell_mold', generation: 1, message: { type: 'reopen_logs' } });
});

test('the guard names the package that controls the collector', () => {
  const herd = serving();
  const call = {
    type: 'guard',
    function: 'set_threshold',
    package: 'msgpack',
    file: '/m/x.py',
    line: 7,
  } as const;
  expect(herd.workerSays(101, { ...call, held: true }).logs).toEqual([
    'warning: Guard: gc.set_threshold() of msgpack held off in worker 101 (/m/x.py:7)',
  ]);
  expect(herd.workerSays(101, { ...call, held: false }).logs[0]).toContain('msgpack seen in worker 101');
});

test('TTIN never asks for more workers than a herd may have', () => {
  const herd = serving();
  herd.state.target = MOST_WORKERS;
  expect(herd.event({ type: 'scale', by: 1 }).state.target).toBe(MOST_WORKERS);
});

describe('a message that the keeper has dropped', () => {
  test('costs the worker that sent it, once its replacement is ready', () => {
    const herd = serving();
    herd.hears({ type: 'bad_message', pid: 101, generation: 1, reason: "'nope' is not a worker's to say" });
    expect(herd.logs).toEqual([
      "error: Worker 101 sent a message that was dropped ('nope' is not a worker's to say); the worker is replaced",
    ]);
    expect(herd.signals).toEqual([]);
    expect(herd.forks).toEqual([2]);
    herd.forked(103, 2).workerReady(103);
    expect(herd.signals).toEqual([[101, SIGTERM]]);
  });

  test('from a mold is logged, and ends nothing', () => {
    const herd = serving().hears({ type: 'bad_message', pid: MOLD, generation: 1, reason: 'no JSON' });
    expect(herd.logs).toEqual([
      `error: The mold of generation 1 (pid ${MOLD}) sent a message that was dropped (no JSON)`,
    ]);
    expect(herd.does).toEqual([]);
  });
});

describe('a command that the keeper could not carry out', () => {
  const reason = 'No such file or directory: /srv/shop/.venv/bin/python';

  test('the mold of a reload: the old generation keeps serving', () => {
    const herd = serving().event({ type: 'reload_requested', by: 'SIGHUP' });
    herd.hears({ type: 'command_failed', command: 'start_mold', generation: 2, reason });
    expect(herd.state).toMatchObject({ phase: 'serving', rollout: null, generation: 1 });
    expect(herd.state.lastRollout?.failure).toContain(reason);
    expect(Object.keys(herd.state.molds)).toEqual(['1']);
    expect(herd.signals).toEqual([]);
  });

  test('the mold that replaces a dead one: it is tried again, after growing pauses', () => {
    const herd = serving().exits(MOLD, { signal: SIGKILL });
    const pauses: number[] = [];
    for (let attempt = 2; attempt <= 5; attempt += 1) {
      herd.after(60_000);
      expect(herd.does).toContain('start_mold');
      herd.hears({ type: 'command_failed', command: 'start_mold', generation: attempt, reason });
      expect(herd.logs.join()).toContain('could not be started');
      pauses.push((herd.state.nextMold?.atMs ?? 0) - herd.nowMs);
    }
    expect(pauses).toEqual([1000, 2000, 4000, 8000]);
    expect(Object.keys(herd.state.workers)).toEqual(['101', '102']);
  });

  test('the first mold: the herd ends with the reason', () => {
    const herd = new Herd().keeperReady();
    herd.hears({ type: 'command_failed', command: 'start_mold', generation: 1, reason });
    expect(herd.state.stop?.error).toEqual({ code: 'MOLD_NOT_STARTED', detail: reason });
  });

  test('any other command: the failure is logged', () => {
    const herd = serving().hears({
      type: 'command_failed',
      command: 'notify',
      generation: null,
      reason: 'KeyError: x',
    });
    expect(herd.logs).toEqual(['error: The keeper could not carry out the command notify: KeyError: x']);
    expect(herd.does).toEqual([]);
  });
});

test.each([true, false])(
  'a reload whose settings end the process (daemon: %s) fails, and the herd keeps serving',
  (daemonize) => {
    const herd = serving().event({ type: 'reload_requested', by: 'SIGHUP' });
    herd.hears({ type: 'mold_started', generation: 2, pid: 60 });
    herd.moldSays({ type: 'mold_finished', status: 0, daemonize }, 2);
    expect(herd.state).toMatchObject({ phase: 'serving', rollout: null, generation: 1 });
    expect(herd.state.lastRollout?.failure).toContain('INVALID_SETTING');
    expect(herd.does).not.toContain('daemonize');
  },
);
