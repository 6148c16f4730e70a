import { expect, test } from 'vitest';
import { PROTOCOL_VERSION, type Inventory } from '../../../agent/messages.ts';
import { decide, type Decision } from '../decide.ts';
import type { Adoption } from '../../herd/events.ts';
import { newMold } from '../processes/molds.ts';
import { sampleSettings } from '../../samples/samples.ts';
import { initialState, type HerdState, type MoldState, type WorkerState } from '../../herd/state.ts';
import { newWorker } from '../processes/workers.ts';

const SIGKILL = 9;
const NOW_MS = 50_000;
const KEEPER = 40;
const MOLD = 50;

function mold(generation: number, changes: Partial<MoldState> = {}): MoldState {
  return {
    ...newMold(generation, 1000, []),
    pid: MOLD + generation - 1,
    phase: 'ready',
    settings: sampleSettings,
    listeners: ['http://127.0.0.1:8000'],
    readyAtMs: 2000,
    ...changes,
  };
}

function worker(pid: number, changes: Partial<WorkerState> = {}): WorkerState {
  return { ...newWorker(pid, pid - 101, 1, 3000), phase: 'ready', readyAtMs: 4000, ...changes };
}

/** A herd of two workers, as its supervisor knew it. */
function known(changes: Partial<HerdState> = {}): HerdState {
  return {
    ...initialState(),
    phase: 'serving',
    settings: sampleSettings,
    keeperPid: KEEPER,
    target: 2,
    generation: 1,
    newestGeneration: 1,
    molds: { 1: mold(1) },
    workers: { 101: worker(101), 102: worker(102) },
    requestsOfGone: 100,
    announcedReady: true,
    ...changes,
  };
}

const configured: Inventory['molds'][number]['configured'] = {
  type: 'configured',
  settings: sampleSettings,
  python_version: '3.13.0',
  gunicorn_version: '27.0.1',
  executable: 'python3',
  remarks: [],
};
const ready: NonNullable<Inventory['molds'][number]['ready']> = {
  type: 'mold_ready',
  policy: 'freeze',
  asked_policy: 'auto',
  remarks: [],
  report: {},
  modules: 9,
  threads: 0,
};

function foundMold(generation: number, changes: Partial<Inventory['molds'][number]> = {}): Inventory['molds'][number] {
  return { generation, pid: MOLD + generation - 1, configured, ready, has_listeners: true, forking: [], ...changes };
}

function inventory(changes: Partial<Inventory> = {}): Inventory {
  return {
    type: 'inventory',
    protocol: PROTOCOL_VERSION,
    pid: KEEPER,
    executable: 'python3',
    python_version: '3.13.0',
    molds: [foundMold(1)],
    workers: [101, 102].map((pid) => ({
      pid,
      slot: pid - 101,
      generation: 1,
      forked_monotonic_ns: 3e9,
      scoreboard: 9,
    })),
    listeners: [{ generation: 1, names: ['http://127.0.0.1:8000'] }],
    endings: [],
    unheard: [],
    ...changes,
  };
}

const row = { requestsStarted: 7, requestsFinished: 7, isReady: true };

function adopted(changes: Partial<Adoption> = {}): Decision & { logs: string[]; does: string[] } {
  const decision = decide(
    initialState(),
    {
      type: 'adopted',
      inventory: inventory(),
      saved: known(),
      supervisorPid: 30,
      rows: { 101: row, 102: row },
      isOtherwiseStarted: false,
      ...changes,
    },
    NOW_MS,
  );
  const logs = decision.actions.flatMap((action) => (action.do === 'log' ? [action.text] : []));
  const does = decision.actions.map((action) => action.do).filter((what) => what !== 'log' && what !== 'wake');
  return { ...decision, logs, does };
}

function ended(pid: number, signal: number): Inventory['endings'][number] {
  const usage = { minor_faults: 0, major_faults: 0, cpu_seconds: 0, counters: null };
  return { type: 'process_exited', pid, exit_status: null, signal, ...usage };
}

test('a herd to which nothing has happened is taken as it is', () => {
  const { state, logs, does } = adopted();
  expect(state).toMatchObject({ phase: 'serving', target: 2, generation: 1, requestsOfGone: 100, keeperPid: KEEPER });
  expect(state.workers).toEqual(known().workers);
  expect(logs).toContain('Adopted the herd of supervisor 30: 2 workers, 1 molds');
  expect(logs).toContain('Listening at: http://127.0.0.1:8000');
  // Nothing is done to the herd: all processes are watched again, and it is announced as serving.
  expect(does.toSorted()).toEqual([
    'announce_serving',
    'set_background',
    'use_settings',
    ...Array(3).fill('watch_process'),
  ]);
});

test('without a file the inventory suffices, except for counters', () => {
  const { state, does } = adopted({ saved: null, supervisorPid: null });
  expect(state).toMatchObject({ phase: 'serving', target: sampleSettings.workers, generation: 1, requestsOfGone: 0 });
  expect(Object.values(state.workers).map(({ pid, phase, forkedAtMs }) => [pid, phase, forkedAtMs])).toEqual([
    [101, 'ready', 3000],
    [102, 'ready', 3000],
  ]);
  expect(state.molds[1]).toMatchObject({ pid: MOLD, phase: 'ready', policy: 'freeze' });
  expect(does).toContain('use_settings');
});

test('a file of another keeper describes another herd', () => {
  expect(adopted({ saved: known({ keeperPid: 39 }) }).state.requestsOfGone).toBe(0);
});

test('a worker that died meanwhile counts as dead, with its requests, and is replaced', () => {
  const { state, logs, actions } = adopted({
    inventory: inventory({ workers: [inventory().workers[0]!], endings: [ended(102, SIGKILL)] }),
    rows: { 101: row, 102: { requestsStarted: 9, requestsFinished: 8, isReady: true } },
  });
  expect(state.requestsOfGone).toBe(108);
  expect(logs).toContainEqual(
    expect.stringMatching(/Worker 102 .* SIGKILL .* while there was no supervisor, with 1 request/),
  );
  expect(actions).toContainEqual({
    do: 'tell_mold',
    generation: 1,
    message: { type: 'worker_exited', pid: 102, exit_status: null, signal: SIGKILL },
  });
  expect(actions).toContainEqual({ do: 'tell_mold', generation: 1, message: { type: 'fork', slot: 1 } });
  expect(state.deathsInARow).toBe(0);
});

test('an unknown worker is adopted, and the slots of pending forks are not given away twice', () => {
  const unknown = { pid: 103, slot: 2, generation: 1, forked_monotonic_ns: 4e10, scoreboard: 10 };
  const found = inventory({ workers: [...inventory().workers, unknown], molds: [foundMold(1, { forking: [3] })] });
  const { state, actions } = adopted({ saved: known({ target: 5 }), inventory: found });
  expect(state.workers[103]).toMatchObject({ slot: 2, phase: 'booting', forkedAtMs: 40_000 });
  expect(actions).toContainEqual({ do: 'tell_mold', generation: 1, message: { type: 'fork', slot: 4 } });
  expect(Object.keys(state.forking)).toEqual(['3', '4']);
});

test('a dead mold is replaced, and the workers keep serving', () => {
  const { state, logs } = adopted({ inventory: inventory({ molds: [], endings: [ended(MOLD, SIGKILL)] }) });
  expect(logs).toContainEqual(expect.stringMatching(/The mold of generation 1 \(pid 50\) .*SIGKILL/));
  expect(state).toMatchObject({ generation: 2, molds: { 2: { phase: 'starting' } } });
  expect(Object.keys(state.workers)).toEqual(['101', '102']);
});

test('a mold that waits for its listeners gets them', () => {
  const loading = foundMold(1, { ready: null, has_listeners: false });
  const saved = known({ molds: { 1: mold(1, { phase: 'starting', settings: null, listeners: null }) } });
  const { state, actions } = adopted({ saved, inventory: inventory({ molds: [loading], listeners: [] }) });
  expect(state.molds[1]).toMatchObject({ phase: 'loading', settings: sampleSettings });
  expect(actions).toContainEqual({ do: 'listen', generation: 1, settings: sampleSettings });
});

test('a herd in which nothing serves yet is starting', () => {
  const loading = inventory({ molds: [foundMold(1, { ready: null })], workers: [] });
  expect(adopted({ saved: null, inventory: loading }).state.phase).toBe('starting');
});

const reload = {
  kind: 'reload' as const,
  by: 'SIGHUP',
  from: 1,
  to: 2,
  startedAtMs: 40_000,
  phase: 'mold' as const,
  retiring: null,
  deaths: 0,
  targetBefore: 2,
};

test('a reload continues if its mold exists, and fails if not', () => {
  const saved = known({
    rollout: reload,
    newestGeneration: 2,
    molds: { 1: mold(1), 2: mold(2, { phase: 'loading' }) },
  });
  const both = inventory({
    molds: [foundMold(1), foundMold(2)],
    listeners: [1, 2].map((generation) => ({ generation, names: ['http://127.0.0.1:8000'] })),
  });
  const { state, actions } = adopted({ saved, inventory: both });
  expect(state.rollout).toMatchObject({ to: 2, phase: 'trial' });
  expect(actions).toContainEqual({ do: 'tell_mold', generation: 2, message: { type: 'fork', slot: 2 } });
  const failed = adopted({ saved });
  expect(failed.state.rollout).toBeNull();
  expect(failed.state.lastRollout).toMatchObject({
    to: 2,
    failure: expect.stringContaining('while there was no superv'),
  });
  expect(failed.state.generation).toBe(1);
});

test('a refork whose worker was to become the mold fails; a worker already told to retire finishes its requests', () => {
  const refork = { ...reload, kind: 'refork' as const };
  const told = adopted({
    saved: known({
      rollout: { ...refork, retiring: { pid: 101, toldAtMs: 45_000 } },
      workers: {
        101: worker(101, { phase: 'retiring', replaceBecause: 'it becomes the next mold' }),
        102: worker(102),
      },
    }),
  });
  expect(told.state.rollout).toBeNull();
  // With a deadline: it may be told nothing more, and never finish.
  expect(told.state.workers[101]).toMatchObject({ phase: 'draining', drainedAtMs: expect.any(Number) });
  expect(told.does).not.toContain('signal');
  const untold = adopted({
    saved: known({
      rollout: { ...refork, retiring: { pid: 101, toldAtMs: null } },
      workers: { 101: worker(101, { replaceBecause: 'it becomes the next mold' }), 102: worker(102) },
    }),
  });
  expect(untold.state.workers[101]).toMatchObject({ phase: 'ready', replaceBecause: null });
});

test('a mold with running threads stays, and its threads are resumed after a forgotten reload', () => {
  const threaded = foundMold(1, { ready: { ...ready, threads: 1 } });
  const found = inventory({ molds: [threaded, foundMold(2)] });
  const { state, actions } = adopted({ saved: known({ generation: 2 }), inventory: found });
  expect(state.molds[1]).toMatchObject({ phase: 'ready', threads: 1 });
  expect(actions).toContainEqual({ do: 'tell_mold', generation: 1, message: { type: 'resume_threads' } });
  // Unless the serving mold has the same threads, because it has loaded the application since.
  const both = inventory({ molds: [threaded, foundMold(2, { ready: { ...ready, threads: 1 } })] });
  const exit = { type: 'exit', final: false } as const;
  expect(adopted({ saved: known({ generation: 2 }), inventory: both }).actions).toContainEqual({
    do: 'tell_mold',
    generation: 1,
    message: exit,
  });
});

test('a mold with an unknown purpose is dismissed', () => {
  const { actions } = adopted({ inventory: inventory({ molds: [foundMold(1), foundMold(2)] }) });
  expect(actions).toContainEqual({ do: 'tell_mold', generation: 2, message: { type: 'exit', final: false } });
});

test('a herd that was stopping serves again', () => {
  const saved = known({
    phase: 'stopping',
    stop: {
      exitStatus: 0,
      error: null,
      startedAtMs: 0,
      quick: false,
      killAtMs: 1,
      moldsToldAtMs: null,
      keeperTold: false,
    },
    workers: { 101: worker(101, { phase: 'draining' }), 102: worker(102, { phase: 'draining' }) },
  });
  const { state, actions } = adopted({ saved });
  expect(state).toMatchObject({ phase: 'serving', stop: null });
  const forks = actions.filter((action) => action.do === 'tell_mold' && action.message.type === 'fork');
  expect(forks.length).toBe(2);
});

test('other arguments are logged', () => {
  expect(adopted({ isOtherwiseStarted: true }).logs).toContainEqual(expect.stringContaining('cowherd reload'));
});
