import { expect, test } from 'vitest';
import type { KeeperMessage } from '../../agent/messages.ts';
import { decide } from '../decisions/decide.ts';
import type { Action, HerdEvent } from './events.ts';
import { newMold } from '../decisions/processes/molds.ts';
import { whyNotReady } from './readiness.ts';
import { sampleSettings } from '../samples/samples.ts';
import { SIGTERM } from './signals.ts';
import { initialState, type HerdState } from './state.ts';
import { newWorker } from '../decisions/processes/workers.ts';

const KEEPER = 41;

/** A herd with a ready mold, one ready worker and one booting worker. */
class Herd {
  actions: Action[] = [];
  state: HerdState = {
    ...initialState(),
    phase: 'serving',
    settings: sampleSettings,
    keeperPid: KEEPER,
    keeperReadyAtMs: 0,
    listeners: ['http://127.0.0.1:8000'],
    target: 2,
    generation: 1,
    newestGeneration: 1,
    molds: { 1: { ...newMold(1, 0, []), pid: 50, phase: 'ready', settings: sampleSettings, listeners: [] } },
    workers: {
      101: { ...newWorker(101, 0, 1, 0), phase: 'ready', readyAtMs: 10 },
      102: newWorker(102, 1, 1, 0),
    },
    anyWorkerEverReady: true,
    predecessor: { keeperPid: 30, protocol: 1, phase: 'serving' },
  };

  event(event: HerdEvent): this {
    ({ state: this.state, actions: this.actions } = decide(this.state, event, 1000));
    return this;
  }

  says(message: KeeperMessage): this {
    return this.event({ type: 'keeper_says', message });
  }

  ends(pid: number, exitStatus: number): this {
    return this.says({
      type: 'process_exited',
      pid,
      exit_status: exitStatus,
      signal: null,
      minor_faults: 0,
      major_faults: 0,
      cpu_seconds: 0,
      counters: null,
    });
  }

  get isReady(): this {
    return this.says({ type: 'from_worker', generation: 1, pid: 102, message: { type: 'worker_ready' } });
  }

  get does(): string[] {
    return this.actions.map((action) => action.do).filter((what) => what !== 'log' && what !== 'wake');
  }

  get logs(): string {
    return this.actions.flatMap((action) => (action.do === 'log' ? [action.text] : [])).join('\n');
  }
}

test('the predecessor gives way when every worker here is ready, before readiness is announced', () => {
  const herd = new Herd();
  expect(whyNotReady(herd.state, 1)).toBe('the herd of keeper 30 serves until every worker of this one is ready');
  expect(herd.isReady.does).toEqual(['take_over', 'own_directory', 'announce_serving']);
  expect(herd.logs).toBe('The herd of keeper 30 (protocol version 1) gives way: it finishes its requests and leaves');
  expect(herd.state.predecessor?.phase).toBe('leaving');
  expect(whyNotReady(herd.state, 2)).toBeNull();
  herd.says({ type: 'lender_gone' });
  expect(herd.logs).toBe('The herd of keeper 30 (protocol version 1) has left');
  expect(herd.state.predecessor).toBeNull();
});

test('scaling down can make the herd complete', () => {
  const herd = new Herd().event({ type: 'scale_to', workers: 1, by: 'cowherd scale' });
  expect(herd.does).toContain('take_over');
});

test('a predecessor that ends by itself leaves its place; spare descriptors that it lent are still given back', () => {
  const herd = new Herd().says({ type: 'lender_gone' });
  expect(herd.does).toEqual(['own_directory']);
  expect(herd.isReady.does).toEqual(['take_over', 'announce_serving']);
  expect(herd.state.predecessor).toBeNull();
});

test.each([
  ['a worker that does not start', (herd: Herd) => herd.ends(102, 3), 'WORKER_BOOT_FAILED'],
  ['a worker that cannot import', (herd: Herd) => herd.ends(102, 4), 'APP_IMPORT_FAILED'],
  ['a worker that dies', (herd: Herd) => herd.ends(102, 1), 'WORKER_BOOT_FAILED'],
  ['the mold', (herd: Herd) => herd.ends(50, 1), 'MOLD_DIED'],
  [
    'a fork that is not possible',
    (herd: Herd) =>
      herd.says({
        type: 'from_mold',
        generation: 1,
        message: { type: 'fork_failed', slot: 2, reason: 'Cannot allocate memory' },
      }),
    'WORKER_BOOT_FAILED',
  ],
  [
    'a loan that is refused',
    (herd: Herd) => herd.says({ type: 'borrow_failed', code: 'RUNTIME_DIRECTORY_BUSY', detail: 'no' }),
    'RUNTIME_DIRECTORY_BUSY',
  ],
])('before the takeover, %s ends this herd alone', (_, happens, code) => {
  const herd = new Herd();
  happens(herd);
  expect(herd.state.stop?.error?.code).toBe(code);
  expect(herd.logs).toContain('The herd of keeper 30 (protocol version 1) serves on: nothing was taken from it');
  // No client is turned away, and queued connections are left to the predecessor's workers.
  expect(herd.does).not.toContain('turn_away');
  expect(herd.actions).toContainEqual({ do: 'signal', pid: 101, signal: SIGTERM });
  expect(herd.state.predecessor?.phase).toBe('serving');
});

test('a ready worker that dies is replaced', () => {
  expect(new Herd().ends(101, 1).state.stop).toBeNull();
});

test('without its own keeper the herd has no sockets: it ends and does not start again', () => {
  const herd = new Herd().event({ type: 'keeper_exited', python: 'python3', exitStatus: null, signal: 'SIGKILL' });
  expect(herd.does).toEqual(['wait_for_orphans', 'end']);
  expect(herd.logs).toContain('serves on');
});

test('after the takeover it behaves like any other herd', () => {
  const herd = new Herd().isReady.event({ type: 'stop_requested', by: 'SIGTERM', quick: false });
  expect(herd.does[0]).toBe('turn_away');
  const other = new Herd().isReady.ends(102, 1);
  expect(other.state.stop).toBeNull();
});

test('no reload before the predecessor has given way', () => {
  const { answer } = decide(new Herd().state, { type: 'reload_requested', by: 'SIGHUP' }, 1000);
  expect(answer).toMatchObject({ accepted: false, text: "no reload while the herd is taking another one's place" });
});
