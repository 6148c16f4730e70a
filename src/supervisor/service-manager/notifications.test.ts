import { describe, expect, test } from 'vitest';
import { notification, nothingTold, STATUS_EVERY_MS, type NotificationMemory } from './notifications.ts';
import { takeNotifySocket } from './notify-socket.ts';
import { sampleRollout, sampleWorker } from '../samples/samples.ts';
import { initialState, type HerdState, type Rollout } from '../herd/state.ts';

const serving: HerdState = {
  ...initialState(),
  phase: 'serving',
  generation: 1,
  target: 2,
  announcedReady: true,
  workers: { 11: sampleWorker(11, 0), 12: sampleWorker(12, 1) },
};
const rollout: Rollout = sampleRollout();

/** Notifies of each state in turn, `stepMs` apart, and returns the texts. */
function told(states: readonly HerdState[], watchdogMs: number | null = null, stepMs = 500): (string | null)[] {
  let memory: NotificationMemory = nothingTold;
  return states.map((state, index) => {
    const nowMs = 1000 + index * stepMs;
    const result = notification(memory, { state, supervisorPid: 77, requests: () => 5, watchdogMs, nowMs });
    memory = result.memory;
    return result.text;
  });
}

test('a start: READY once, when all workers are ready for the first time, with the main process', () => {
  const starting = initialState();
  const almost = { ...serving, announcedReady: false };
  expect(told([starting, starting, almost, serving, serving])).toEqual([
    'STATUS=Starting: the application is loaded',
    null,
    null,
    'READY=1\nMAINPID=77\nSTATUS=Generation 1: 2 of 2 workers ready, 5 requests',
    null,
  ]);
});

test("a reload: RELOADING with the monotonic clock's time, and READY when it has ended", () => {
  const failed: HerdState = {
    ...serving,
    lastRollout: { ...rollout, endedAtMs: 9, failure: 'APP_IMPORT_FAILED: shop\nReadY=0' },
  };
  expect(told([serving, { ...serving, rollout }, { ...serving, rollout }, failed]).slice(1)).toEqual([
    'RELOADING=1\nMONOTONIC_USEC=1500000\nSTATUS=Generation 1: 2 of 2 workers ready, 5 requests; reload to generation 2',
    null,
    'READY=1\nSTATUS=Generation 1: 2 of 2 workers ready, 5 requests;' +
      ' the last reload failed: APP_IMPORT_FAILED: shop ReadY=0',
  ]);
});

test('a refork is no reload: nobody has asked the service manager for one', () => {
  expect(told([serving, { ...serving, rollout: { ...rollout, kind: 'refork' } }])[1]).toBeNull();
});

test('a stop, also during a reload: STOPPING once, and no READY after it', () => {
  const stopping: HerdState = { ...serving, phase: 'stopping', rollout: null };
  expect(told([serving, { ...serving, rollout }, stopping, stopping]).slice(2)).toEqual([
    'STOPPING=1\nSTATUS=Stopping: 2 worker(s) finish their requests',
    null,
  ]);
});

describe('the watchdog', () => {
  const beats = (texts: readonly (string | null)[]): boolean[] =>
    texts.map((text) => text?.split('\n').includes('WATCHDOG=1') === true);

  test('is notified twice per interval', () => {
    expect(beats(told([serving, serving, serving, serving, serving], 2000))).toEqual([true, false, true, false, true]);
  });

  test('is not notified while no worker is ready, and again once one is', () => {
    const none: HerdState = { ...serving, workers: { 11: sampleWorker(11, 0, { phase: 'aborted' }) } };
    expect(beats(told([serving, none, none, serving], 500))).toEqual([true, false, false, true]);
  });

  test('is notified before the first worker is ready, and during a stop', () => {
    const stopping: HerdState = { ...serving, phase: 'stopping', workers: {} };
    expect(beats(told([initialState(), initialState(), serving, stopping], 500))).toEqual([true, true, true, true]);
  });
});

test('the status is updated now and then, and only if it has changed', () => {
  const fewer: HerdState = { ...serving, workers: { 11: sampleWorker(11, 0) } };
  expect(told([serving, serving, fewer], null, STATUS_EVERY_MS / 2 + 1).slice(1)).toEqual([
    null,
    'STATUS=Generation 1: 1 of 2 workers ready, 5 requests',
  ]);
  expect(told([serving, serving], null, STATUS_EVERY_MS + 1)[1]).toBeNull();
});

describe('the socket', () => {
  test('is read once, and removed for processes that inherit the environment', () => {
    const env = { NOTIFY_SOCKET: '/run/systemd/notify', WATCHDOG_USEC: '30000000', WATCHDOG_PID: '77', HOME: '/' };
    expect(takeNotifySocket(env, 77)).toEqual({ address: '/run/systemd/notify', watchdogMs: 30_000 });
    expect(env).toEqual({ HOME: '/' });
  });

  test('may come with a watchdog for another process', () => {
    const env = { NOTIFY_SOCKET: '@abstract', WATCHDOG_USEC: '30000000', WATCHDOG_PID: '78' };
    expect(takeNotifySocket(env, 77)).toEqual({ address: '@abstract', watchdogMs: null });
  });

  test.each([{}, { NOTIFY_SOCKET: '' }, { NOTIFY_SOCKET: 'vsock:2:1234' }])('is absent: %j', (env) => {
    expect(takeNotifySocket(env, 77)).toBeNull();
  });
});
