/**
 * decide() in a simulated world: a keeper, molds and workers that answer its actions, and that fail, stall and die in
 * generated orders. This file states what must hold after every event, and once failures have ended.
 */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import {
  PROTOCOL_VERSION,
  type KeeperMessage,
  type MoldCommand,
  type MoldMessage,
  type Settings,
  type WorkerMessage,
} from '../../agent/messages.ts';
import { decide } from './decide.ts';
import type { Action, Heartbeat, HerdEvent } from '../herd/events.ts';
import { sampleSettings } from '../samples/samples.ts';
import { initialState, type HerdState } from '../herd/state.ts';
import type { Writable } from '../herd/writable.ts';
import * as predecessor from '../herd/predecessor.ts';
import { SIGABRT, SIGFINISH, SIGKILL, SIGMERGE, SIGRETIRE, SIGTERM, SIGUSR1 } from '../herd/signals.ts';

const SIGSEGV = 11;

/** The longest pause of any backoff. */
const LONGEST_PAUSE_MS = 30_000;

const settings: Settings = { ...sampleSettings, workers: 3, graceful_timeout_seconds: 30 };

interface WorldMold {
  pid: number;
  generation: number;
  stage: 'spawned' | 'configured' | 'ready' | 'failed';
  hasListeners: boolean;
  commands: MoldCommand[];
  /** Whether the mold has loaded the application, whose threads then run in it; a retired worker has none. */
  hasThreads: boolean;
  threadsRest: boolean;
}

interface WorldWorker {
  pid: number;
  slot: number;
  generation: number;
  stage: 'booting' | 'ready' | 'draining' | 'retiring';
  /** Ignores everything but SIGKILL. */
  stubborn: boolean;
  beatAtMs: number;
  requests: number;
}

const configured = {
  type: 'configured' as const,
  settings,
  python_version: '3.13.0',
  gunicorn_version: '27.0.1',
  executable: 'python3',
  remarks: [],
};
const moldReady = {
  type: 'mold_ready' as const,
  policy: 'freeze',
  asked_policy: 'auto',
  remarks: [],
  report: {},
  modules: 10,
  threads: 0,
};

function readyOf(hasThreads: boolean): typeof moldReady {
  return { ...moldReady, threads: hasThreads ? 1 : 0 };
}

/** Everything outside of the supervisor. It holds only live processes. */
class World {
  state: Writable<HerdState> = initialState();
  nowMs = 1000;
  keeper: 'starting' | 'running' | 'gone' = 'starting';
  ended: Extract<Action, { do: 'end' }> | null = null;
  orphans: number[] = [];
  lost: WorldWorker[] = [];
  readonly molds = new Map<number, WorldMold>();
  readonly workers = new Map<number, WorldWorker>();
  /** The keeper's messages that the supervisor has not read yet, in order. */
  readonly inbox: HerdEvent[] = [];
  readonly logs: string[] = [];
  /** How often a predecessor was told to give way. */
  takenOver = 0;
  readonly #listenFails: boolean;
  readonly #threads: boolean;
  readonly #exited = new Set<number>();
  #wakes = new Set<number>();
  #nextPid = 100;
  #keeperPid = 0;

  /**
   * `threads`: the application leaves a thread running in each mold that loads it. `follows`: the herd is to replace a
   * predecessor.
   */
  constructor(options: { listenFails?: boolean; threads?: boolean; follows?: boolean } = {}) {
    if (options.follows === true) this.state.predecessor = { keeperPid: 40, protocol: 1, phase: 'serving' };
    this.#listenFails = options.listenFails ?? false;
    this.#threads = options.threads ?? false;
    this.#keeperStarts();
  }

  #keeperStarts(): void {
    this.keeper = 'running';
    this.#keeperPid = this.#pid();
    this.says({
      type: 'keeper_ready',
      protocol: PROTOCOL_VERSION,
      pid: this.#keeperPid,
      executable: 'python3',
      python_version: '3.13.0',
      implementation: 'cpython',
      free_threaded: false,
    });
  }

  // The supervisor's side

  dispatch(event: HerdEvent): void {
    // Frozen, so that a decision that changes its input throws.
    const before = freeze(this.state);
    const { state, actions } = decide(before, event, this.nowMs);
    this.state = state;
    if (before.phase === 'ended') {
      expect(actions).toEqual([]);
      return;
    }
    this.#checkState();
    for (const action of actions) this.#perform(action);
    expect(this.ended !== null).toBe(state.phase === 'ended');
  }

  #checkState(): void {
    const { state } = this;
    const slots = [
      ...Object.values(state.workers).map((worker) => worker.slot),
      ...Object.keys(state.forking).map(Number),
    ];
    expect(new Set(slots).size).toBe(slots.length);
    expect(state.forkNotBeforeMs - this.nowMs).toBeLessThanOrEqual(LONGEST_PAUSE_MS);
    expect((state.nextMold?.atMs ?? 0) - this.nowMs).toBeLessThanOrEqual(LONGEST_PAUSE_MS);
    expect(state.stop !== null || state.phase !== 'stopping').toBe(true);
  }

  #perform(action: Action): void {
    switch (action.do) {
      case 'start_mold': {
        const mold: WorldMold = {
          pid: this.#pid(),
          generation: action.generation,
          stage: 'spawned',
          hasListeners: false,
          commands: [],
          hasThreads: this.#threads,
          threadsRest: false,
        };
        if (this.keeper !== 'running') return;
        this.molds.set(mold.pid, mold);
        this.says({ type: 'mold_started', generation: mold.generation, pid: mold.pid });
        return;
      }
      case 'listen':
        this.says(
          this.#listenFails
            ? {
                type: 'listen_failed',
                generation: action.generation,
                code: 'ADDRESS_IN_USE',
                address: '127.0.0.1:8000',
                reason: 'in use',
              }
            : { type: 'listening', generation: action.generation, listeners: ['http://127.0.0.1:8000'] },
        );
        return;
      case 'adopt_mold': {
        const mold = [...this.molds.values()].find((each) => each.pid === action.pid);
        // The worker may have died since it reported that it has retired.
        if (mold === undefined || this.keeper !== 'running') return;
        mold.generation = action.generation;
        this.says({ type: 'mold_started', generation: action.generation, pid: action.pid });
        return;
      }
      case 'keep_listeners':
        expect(action.generations.length).toBeGreaterThan(0);
        return;
      case 'turn_away':
        // Queued clients wait for workers that were not told to leave yet.
        expect(this.state.phase).toBe('stopping');
        expect(predecessor.serves(this.state)).toBe(false);
        for (const worker of Object.values(this.state.workers)) expect(worker.phase).toBe('draining');
        return;
      case 'give_listeners':
        for (const mold of this.molds.values()) if (mold.generation === action.generation) mold.hasListeners = true;
        return;
      case 'tell_mold':
        // Nothing is sent to a mold whose end the supervisor has read.
        expect(this.state.molds[action.generation]?.pid ?? null).not.toBeNull();
        for (const mold of this.molds.values()) {
          if (mold.generation === action.generation) mold.commands.push(action.message);
        }
        return;
      case 'signal':
        expect(this.#exited.has(action.pid), `signal to ${action.pid}, which has ended`).toBe(false);
        // A predecessor's backlog is left to its own workers.
        if (action.signal === SIGFINISH) expect(predecessor.serves(this.state)).toBe(false);
        this.#signal(action.pid, action.signal);
        return;
      case 'tell_keeper_to_leave':
        if (this.keeper === 'running') this.#keeperLeaves();
        return;
      case 'wait_for_orphans':
        this.orphans = action.pids;
        return;
      case 'start_keeper':
        expect(this.keeper).toBe('gone');
        expect(predecessor.serves(this.state)).toBe(false);
        expect([...this.molds.keys(), ...this.workers.keys()]).toEqual([]);
        this.#keeperStarts();
        return;
      case 'wake':
        expect(action.atMs).toBeGreaterThanOrEqual(this.nowMs);
        expect(action.atMs - this.nowMs).toBeLessThanOrEqual(60_000);
        this.#wakes.add(action.atMs);
        return;
      case 'log':
        this.logs.push(action.text);
        return;
      case 'end':
        expect(this.ended).toBeNull();
        this.ended = action;
        return;
      case 'use_settings':
      case 'ask_keeper':
      case 'record_rollout':
      case 'write_pidfile':
      case 'daemonize':
      case 'watch_process':
      case 'forget_process':
      case 'set_background':
      case 'start_merging':
      case 'stop_merging':
      case 'own_directory':
        return;
      case 'announce_serving':
        expect(predecessor.serves(this.state)).toBe(false);
        return;
      case 'take_over': {
        const ready = Object.values(this.state.workers).filter(({ phase }) => phase === 'ready');
        expect(ready.length).toBeGreaterThanOrEqual(this.state.target);
        this.takenOver += 1;
      }
    }
  }

  // The keeper's side

  says(message: KeeperMessage): void {
    if (this.keeper !== 'running') return;
    this.inbox.push({ type: 'keeper_says', message });
  }

  fromMold(generation: number, message: MoldMessage): void {
    this.says({ type: 'from_mold', generation, message });
  }

  fromWorker({ generation, pid }: WorldWorker, message: WorkerMessage): void {
    this.says({ type: 'from_worker', generation, pid, message });
  }

  hear(): void {
    const event = this.inbox.shift();
    if (event === undefined) return;
    if (event.type === 'keeper_says' && event.message.type === 'process_exited') this.#exited.add(event.message.pid);
    this.dispatch(event);
  }

  #keeperLeaves(): void {
    for (const pid of [...this.molds.keys(), ...this.workers.keys()]) this.die(pid, { signal: SIGKILL });
    this.says({ type: 'keeper_leaving' });
    this.keeper = 'gone';
    this.inbox.push({ type: 'keeper_exited', python: '/usr/bin/python3', exitStatus: 0, signal: null });
  }

  keeperDies(): void {
    if (this.keeper !== 'running') return;
    this.keeper = 'gone';
    this.inbox.push({ type: 'keeper_exited', python: '/usr/bin/python3', exitStatus: null, signal: 'SIGKILL' });
  }

  /** The processes of a dead keeper finish and leave. */
  orphansLeave(): void {
    for (const pid of this.orphans) this.#exited.add(pid);
    this.molds.clear();
    this.workers.clear();
    this.dispatch({ type: 'orphans_gone', requestsFinished: 0 });
  }

  /** Unread messages are lost, and perhaps the herd file; the next supervisor adopts the keeper's processes. */
  supervisorDies(saved: HerdState | null): void {
    if (this.keeper !== 'running' || this.state.phase === 'ended') return;
    for (const event of this.inbox.splice(0)) {
      if (event.type === 'keeper_says' && event.message.type === 'process_exited') this.#exited.add(event.message.pid);
    }
    this.ended = null;
    this.state = initialState();
    // The keeper ends a retired worker that waits for its order.
    for (const { pid, generation } of this.molds.values()) {
      if (generation !== 0) continue;
      this.molds.delete(pid);
      this.#exited.add(pid);
    }
    // There is nothing to adopt, and the keeper leaves by itself.
    if (this.molds.size + this.workers.size === 0) {
      this.#keeperStarts();
      return;
    }
    const listening = [...this.molds.values()].filter(({ hasListeners }) => hasListeners);
    this.dispatch({
      type: 'adopted',
      saved,
      supervisorPid: 1,
      isOtherwiseStarted: false,
      rows: Object.fromEntries(
        [...this.workers.values()].map(({ pid, requests, stage }) => [
          pid,
          { requestsStarted: requests, requestsFinished: requests, isReady: stage !== 'booting' },
        ]),
      ),
      inventory: {
        type: 'inventory',
        protocol: PROTOCOL_VERSION,
        pid: this.#keeperPid,
        executable: 'python3',
        python_version: '3.13.0',
        molds: [...this.molds.values()]
          .filter(({ generation }) => generation > 0)
          .map(({ generation, pid, stage, hasListeners, hasThreads, commands }) => ({
            generation,
            pid,
            configured: stage === 'spawned' ? null : configured,
            ready: stage === 'ready' ? readyOf(hasThreads) : null,
            has_listeners: hasListeners,
            forking: commands.flatMap((command) => (command.type === 'fork' ? [command.slot] : [])),
          })),
        // To the keeper, a retired worker is still a worker.
        workers: [...this.workers.values()].map(({ pid, slot, generation }) => ({
          pid,
          slot,
          generation,
          forked_monotonic_ns: 0,
          scoreboard: 9,
        })),
        listeners: listening.map(({ generation }) => ({ generation, names: ['http://127.0.0.1:8000'] })),
        endings: [],
        unheard: [],
      },
    });
  }

  // The side of molds and workers

  die(pid: number, ending: { status?: number; signal?: number }): void {
    const worker = this.workers.get(pid);
    if (worker === undefined && !this.molds.has(pid)) return;
    this.workers.delete(pid);
    this.molds.delete(pid);
    this.says({
      type: 'process_exited',
      pid,
      exit_status: ending.status ?? null,
      signal: ending.signal ?? null,
      minor_faults: 0,
      major_faults: 0,
      cpu_seconds: 0,
      counters: { requests_started: 1, requests_finished: worker?.requests ?? 0, response_errors: 0 },
    });
  }

  #signal(pid: number, signal: number): void {
    const worker = this.workers.get(pid);
    if (signal === SIGKILL) this.die(pid, { signal });
    // The signal would kill a worker that does not handle it yet.
    else if (signal === SIGMERGE) expect(worker?.stage).not.toBe('booting');
    else if (worker === undefined || worker.stubborn || signal === SIGUSR1) return;
    else if (signal === SIGABRT) this.die(pid, { signal });
    else if (signal === SIGRETIRE) worker.stage = 'retiring';
    else worker.stage = 'draining';
  }

  /** A mold takes its next step. */
  workMold(mold: WorldMold, forkFails = false): void {
    // It has left, although it was told more.
    if (!this.molds.has(mold.pid)) return;
    switch (mold.stage) {
      case 'spawned':
        // A retired worker waits for its order.
        if (mold.generation === 0) return;
        mold.stage = 'configured';
        this.fromMold(mold.generation, configured);
        return;
      case 'configured':
        if (!mold.hasListeners) return;
        mold.stage = 'ready';
        this.fromMold(mold.generation, readyOf(mold.hasThreads));
        return;
      case 'failed':
        this.die(mold.pid, { status: 1 });
        return;
      case 'ready': {
        const command = mold.commands.shift();
        if (command?.type === 'pause_threads') mold.threadsRest = true;
        if (command?.type === 'resume_threads') mold.threadsRest = false;
        if (command?.type === 'exit') this.die(mold.pid, { status: 0 });
        if (command?.type !== 'fork') return;
        if (forkFails) {
          this.fromMold(mold.generation, { type: 'fork_failed', slot: command.slot, reason: 'no memory' });
          return;
        }
        const worker: WorldWorker = {
          pid: this.#pid(),
          slot: command.slot,
          generation: mold.generation,
          stage: 'booting',
          stubborn: false,
          beatAtMs: this.nowMs,
          requests: 0,
        };
        this.workers.set(worker.pid, worker);
        this.says({
          type: 'worker_forked',
          generation: mold.generation,
          slot: worker.slot,
          pid: worker.pid,
          forked_monotonic_ns: 0,
          scoreboard: 9,
        });
      }
    }
  }

  /** The worker has finished its requests, and becomes a mold. */
  #retire(worker: WorldWorker): void {
    this.workers.delete(worker.pid);
    this.molds.set(worker.pid, {
      pid: worker.pid,
      generation: 0,
      stage: 'spawned',
      hasListeners: false,
      commands: [],
      hasThreads: false,
      threadsRest: false,
    });
    this.fromWorker(worker, { type: 'retired', requests_finished: worker.requests });
  }

  workWorker(worker: WorldWorker): void {
    if (worker.stage === 'retiring') {
      // Some are of a worker class that can't retire.
      if (worker.pid % 5 === 0) {
        worker.stage = 'ready';
        this.fromWorker(worker, { type: 'retire_refused', reason: 'it is green' });
      } else {
        this.#retire(worker);
      }
      return;
    }
    if (worker.stage === 'draining') {
      if (!worker.stubborn) this.die(worker.pid, { status: 0 });
      return;
    }
    worker.beatAtMs = worker.stubborn ? worker.beatAtMs : this.nowMs;
    if (worker.stage !== 'booting') return;
    worker.stage = 'ready';
    this.fromWorker(worker, { type: 'worker_ready' });
  }

  // Time

  advance(byMs: number): void {
    const untilMs = this.nowMs + byMs;
    for (;;) {
      const next = Math.min(...this.#wakes);
      if (next > untilMs) break;
      this.nowMs = Math.max(this.nowMs, next);
      for (const atMs of this.#wakes) if (atMs <= this.nowMs) this.#wakes.delete(atMs);
      this.dispatch({ type: 'woken', heartbeats: this.#heartbeats() });
    }
    this.nowMs = untilMs;
    if (byMs >= 1000) this.tick();
  }

  tick(): void {
    this.dispatch({ type: 'tick', heartbeats: this.#heartbeats() });
  }

  #heartbeats(): Heartbeat[] {
    return [...this.workers.values()].map((worker) => ({
      pid: worker.pid,
      agoMs: this.nowMs - worker.beatAtMs,
      requestsFinished: worker.requests,
      inFlight: 0,
    }));
  }

  /** Lets everybody act without failures, until nothing changes for a while or the herd has ended. */
  settle(): void {
    let calm = 0;
    for (let round = 0; round < 2000; round += 1) {
      while (this.inbox.length > 0) this.hear();
      if (this.ended !== null) return;
      const before = JSON.stringify([this.state.workers, this.state.molds, this.state.target]);
      for (const mold of this.molds.values()) for (let turn = 0; turn < 8; turn += 1) this.workMold(mold);
      for (const worker of this.workers.values()) this.workWorker(worker);
      while (this.inbox.length > 0) this.hear();
      if (this.ended !== null) return;
      this.advance(6000);
      this.tick();
      calm = before === JSON.stringify([this.state.workers, this.state.molds, this.state.target]) ? calm + 1 : 0;
      // Longer than every pause, grace period and timeout.
      if (calm > 10) return;
    }
    throw new Error(`never settles: ${this.logs.slice(-10).join('\n')}`);
  }

  #pid(): number {
    this.#nextPid += 1;
    return this.#nextPid;
  }
}

function freeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const each of Object.values(value)) freeze(each);
  return Object.freeze(value);
}

/** One thing that happens in the world; `pick` chooses the process. */
interface Step {
  what: (typeof WHAT)[number];
  pick: number;
}

const WHAT = [
  'hear',
  'work_mold',
  'work_worker',
  'worker_dies',
  'worker_leaves',
  'worker_is_stubborn',
  'worker_answers',
  'fork_fails',
  'mold_dies',
  'mold_fails',
  'mold_rejects_policy',
  'keeper_dies',
  'predecessor_ends',
  'stop',
  'stop_quickly',
  'scale',
  'reload',
  'rollback',
  'refork',
  'reopen_logs',
  'replace',
  'merge',
  'tick',
  'time',
] as const;

/** How often each step comes. Steps that end the run are rare, so that most runs get somewhere first. */
const WEIGHTS: Record<Step['what'], number> = {
  hear: 60,
  work_mold: 40,
  work_worker: 25,
  worker_dies: 6,
  worker_leaves: 3,
  worker_is_stubborn: 1,
  worker_answers: 3,
  fork_fails: 2,
  mold_dies: 2,
  mold_fails: 1,
  mold_rejects_policy: 1,
  keeper_dies: 0,
  predecessor_ends: 0,
  stop: 0,
  stop_quickly: 0,
  scale: 3,
  reload: 2,
  rollback: 1,
  refork: 2,
  reopen_logs: 1,
  replace: 1,
  merge: 1,
  tick: 6,
  time: 10,
};

function steps(more: Partial<typeof WEIGHTS> = {}): fc.Arbitrary<Step[]> {
  const weights = Object.entries({ ...WEIGHTS, ...more }).filter(([, weight]) => weight > 0);
  const what = fc.oneof(...weights.map(([name, weight]) => ({ weight, arbitrary: fc.constant(name as Step['what']) })));
  return fc.array(fc.record({ what, pick: fc.nat(1000) }), { maxLength: 250, size: 'max' });
}

function happen(world: World, { what, pick }: Step): void {
  const one = <Item>(items: Iterable<Item>): Item | undefined => {
    const all = [...items];
    return all[pick % all.length];
  };
  const mold = one(world.molds.values());
  const worker = one(world.workers.values());
  switch (what) {
    case 'hear':
      return world.hear();
    case 'work_mold':
      return mold && world.workMold(mold);
    case 'work_worker':
      return worker && world.workWorker(worker);
    case 'worker_dies': {
      const endings = [
        { signal: SIGKILL },
        { signal: SIGSEGV },
        { status: 1 },
        { status: 3 },
        { status: 4 },
        { signal: SIGTERM },
      ];
      return worker && world.die(worker.pid, endings[pick % endings.length]!);
    }
    case 'worker_leaves':
      return worker && world.die(worker.pid, { status: 0 });
    case 'worker_is_stubborn':
      if (worker) worker.stubborn = true;
      return;
    case 'worker_answers':
      if (worker) worker.requests += 1;
      return;
    case 'fork_fails':
      return mold && world.workMold(mold, true);
    case 'mold_dies':
      return mold && world.die(mold.pid, pick % 2 === 0 ? { signal: SIGKILL } : { status: 1 });
    case 'mold_fails':
      if (mold?.stage !== 'configured') return;
      mold.stage = 'failed';
      return world.fromMold(mold.generation, { type: 'mold_failed', code: 'APP_IMPORT_FAILED', detail: 'app' });
    case 'mold_rejects_policy':
      if (mold?.stage !== 'configured' || !mold.hasListeners) return;
      mold.stage = 'spawned';
      return world.fromMold(mold.generation, { type: 'policy_rejected', policy: 'immortal', reason: 'died' });
    case 'keeper_dies':
      return world.keeperDies();
    case 'predecessor_ends':
      return world.says({ type: 'lender_gone' });
    case 'stop':
      return world.dispatch({ type: 'stop_requested', by: 'SIGTERM', quick: false });
    case 'stop_quickly':
      return world.dispatch({ type: 'stop_requested', by: 'SIGQUIT', quick: true });
    case 'scale':
      return world.dispatch({ type: 'scale', by: pick % 2 === 0 ? 1 : -1 });
    case 'reload':
      return world.dispatch({ type: 'reload_requested', by: 'SIGHUP' });
    case 'rollback':
      return world.dispatch({ type: 'rollback_requested', by: 'cowherd rollback' });
    case 'refork':
      return world.dispatch({ type: 'refork_requested', by: 'SIGUSR2' });
    case 'reopen_logs':
      return world.dispatch({ type: 'reopen_logs' });
    case 'merge':
      return world.dispatch({ type: 'merge_requested', by: 'cowherd merge' });
    case 'replace':
      return world.dispatch({ type: 'replace_requested', pid: worker?.pid ?? 1, by: 'gunicornc' });
    case 'tick':
      return world.tick();
    case 'time':
      return world.advance(10 ** (pick % 5));
  }
}

function expectFullHerd(world: World): void {
  const { state } = world;
  expect(state.phase).toBe('serving');
  const workers = [...world.workers.values()];
  expect(workers.filter((worker) => worker.stage === 'ready').length).toBe(state.target);
  expect(workers.length).toBe(state.target);
  expect(new Set(workers.map((worker) => worker.slot)).size).toBe(state.target);
  expect(Object.keys(state.workers).map(Number).toSorted()).toEqual(workers.map((worker) => worker.pid).toSorted());
  expect(state.rollout).toBeNull();
  expect(state.reloadAgain).toBeNull();
  // Beside the current mold only two may exist: the target of a rollback, and a mold whose threads still run.
  const threaded = [...world.molds.values()].filter((mold) => mold.hasThreads);
  expect(threaded.length).toBeLessThanOrEqual(1);
  for (const mold of threaded) expect(mold.threadsRest, 'threads that rest for ever').toBe(false);
  const others = new Set([state.previous?.generation, ...threaded.map((mold) => mold.generation)]);
  const molds = [...world.molds.values()].filter(
    ({ generation }) => generation === state.generation || !others.has(generation),
  );
  expect(molds.map((mold) => [mold.stage, mold.generation])).toEqual([['ready', state.generation]]);
  expect(state.deathsInARow).toBe(0);
}

function expectNothingLeft(world: World): void {
  expect(world.ended).not.toBeNull();
  const left = [...world.molds.keys(), ...world.workers.keys()];
  // After the keeper's death only announced processes can be waited for; others are unknown.
  if (world.ended?.error?.code !== 'KEEPER_DIED') expect(left).toEqual([]);
}

const SERIOUS = ['WORKERS_KEEP_DYING', 'MOLD_DIED', 'MOLD_OUT_OF_MEMORY', 'APP_IMPORT_FAILED', 'WORKER_BOOT_FAILED'];
/**
 * The same worlds each time, so that a run shows the effect of a change. Other worlds in CI, with COWHERD_RUNS=5000 (so
 * many of them), and with COWHERD_SEED (those of the seed).
 */
const { CI, COWHERD_RUNS: asked, COWHERD_SEED: chosen } = process.env;
const runs = {
  numRuns: Number(asked ?? 100),
  ...(CI === 'true' || asked !== undefined || chosen !== undefined ? {} : { seed: 42 }),
};
vi.setConfig({ testTimeout: 600_000 });

test('whatever happens, a herd that is not told to stop becomes full again, or ends with a reason', () => {
  fc.assert(
    fc.property(steps(), fc.boolean(), (sequence, threads) => {
      const world = new World({ threads });
      for (const step of sequence) happen(world, step);
      world.settle();
      if (world.ended === null) {
        expectFullHerd(world);
      } else {
        expectNothingLeft(world);
        expect(SERIOUS).toContain(world.ended.error?.code);
      }
    }),
    runs,
  );
});

test('a herd with one worker that was ever ready never gives up', () => {
  fc.assert(
    fc.property(steps({ mold_fails: 0 }), fc.boolean(), (sequence, threads) => {
      const world = new World({ threads });
      world.settle();
      for (const step of sequence) happen(world, step);
      world.settle();
      expectFullHerd(world);
    }),
    runs,
  );
});

test('while nothing dies, no rollout takes a worker away before its replacement is ready', () => {
  const harmless = {
    worker_dies: 0,
    worker_leaves: 0,
    worker_is_stubborn: 0,
    // A worker that gets no turn for long counts as stuck.
    time: 0,
    scale: 0,
    reload: 12,
    rollback: 6,
    refork: 12,
    mold_fails: 3,
    mold_dies: 0,
  };
  fc.assert(
    fc.property(steps(harmless), fc.boolean(), (sequence, threads) => {
      const world = new World({ threads });
      world.settle();
      for (const step of sequence) {
        happen(world, step);
        const ready = [...world.workers.values()].filter((worker) => worker.stage === 'ready');
        expect(ready.length).toBeGreaterThanOrEqual(world.state.target);
      }
      world.settle();
      expectFullHerd(world);
      // After any reloads, reforks and rollbacks, the threads' work is done once.
      const awake = [...world.molds.values()].filter((mold) => mold.hasThreads && !mold.threadsRest);
      expect(awake.length).toBe(threads ? 1 : 0);
    }),
    runs,
  );
});

test('a predecessor gives way once, to a complete herd, and never to a herd that ends before', () => {
  fc.assert(
    fc.property(steps({ stop: 1, keeper_dies: 1 }), fc.boolean(), (sequence, ends) => {
      const world = new World({ follows: true });
      for (const step of sequence) happen(world, step);
      if (ends) world.says({ type: 'lender_gone' });
      while (world.inbox.length > 0) world.hear();
      if (world.state.afresh !== null) world.orphansLeave();
      world.settle();
      expect(world.takenOver).toBeLessThanOrEqual(1);
      if (world.ended === null) {
        expectFullHerd(world);
        expect(world.takenOver).toBe(1);
        // A keeper that has died since has not reported the predecessor's end.
        if (ends) expect(world.state.predecessor).toBeNull();
        else expect(['leaving', undefined]).toContain(world.state.predecessor?.phase);
      } else {
        expectNothingLeft(world);
        // The herd may have ended before it learnt of the predecessor's end.
        if (world.takenOver === 0) expect(['serving', ends && 'gone']).toContain(world.state.predecessor?.phase);
      }
    }),
    runs,
  );
});

test('a stop at any time comes to its end and leaves nothing behind', () => {
  fc.assert(
    fc.property(steps(), steps({ stop: 3, stop_quickly: 1 }), fc.boolean(), (sequence, later, quick) => {
      const world = new World();
      for (const step of sequence) happen(world, step);
      const errorBefore = world.state.stop?.error ?? null;
      world.dispatch({ type: 'stop_requested', by: 'SIGTERM', quick });
      for (const step of later) happen(world, step);
      world.settle();
      expectNothingLeft(world);
      expect(world.ended?.error ?? null).toEqual(errorBefore);
    }),
    runs,
  );
});

test('a herd whose supervisor dies at any time is adopted, and becomes full again or ends with a reason', () => {
  fc.assert(
    fc.property(steps(), steps(), fc.constantFrom('file', 'old file', 'no file'), fc.boolean(), (...generated) => {
      const [sequence, later, left, threads] = generated;
      const world = new World({ threads });
      let old: HerdState | null = null;
      for (const [index, step] of sequence.entries()) {
        happen(world, step);
        if (index === sequence.length - 5) old = world.state;
      }
      if (world.state.phase === 'ended') return;
      const workersBefore = [...world.workers.values()].filter(({ stage, stubborn }) => stage === 'ready' && !stubborn);
      const phaseBefore = world.state.phase;
      world.supervisorDies(left === 'file' ? world.state : left === 'old file' ? old : null);
      if (phaseBefore === 'serving' && left === 'file') {
        // No serving worker is ended by the adoption.
        for (const { pid } of workersBefore) expect(world.workers.has(pid)).toBe(true);
      }
      for (const step of later) happen(world, step);
      world.settle();
      if (world.ended === null) {
        expectFullHerd(world);
      } else {
        expectNothingLeft(world);
        expect(SERIOUS).toContain(world.ended.error?.code);
      }
    }),
    runs,
  );
});

test("after a keeper's death every announced process is waited for, and the herd becomes full again", () => {
  fc.assert(
    fc.property(steps({ stop: 1 }), (sequence) => {
      const world = new World();
      for (const step of sequence) happen(world, step);
      if (world.keeper !== 'running') return;
      world.keeperDies();
      let known: number[] = [];
      while (world.inbox.length > 0) {
        known = [
          ...Object.keys(world.state.workers).map(Number),
          ...Object.values(world.state.molds).flatMap((mold) => mold.pid ?? []),
        ];
        world.hear();
      }
      // The herd had ended before for another reason, or was about to end.
      if (world.ended !== null) return;
      expect(world.orphans.toSorted()).toEqual(known.toSorted());
      expect(world.state.phase).toBe('starting');
      world.orphansLeave();
      world.settle();
      if (world.ended === null) expectFullHerd(world);
    }),
    runs,
  );
});

test("a keeper's death during a stop ends the herd, and every announced process is waited for", () => {
  fc.assert(
    fc.property(steps({ stop: 1 }), (sequence) => {
      const world = new World();
      for (const step of sequence) happen(world, step);
      const running = world.keeper === 'running';
      world.dispatch({ type: 'stop_requested', by: 'SIGTERM', quick: false });
      world.keeperDies();
      while (world.inbox.length > 0) world.hear();
      expect(world.ended).not.toBeNull();
      if (!running || world.ended?.error?.code !== 'KEEPER_DIED') {
        // The herd had already stopped for another reason, and everything but the keeper was gone.
        expect(world.state.stop).not.toBeNull();
        expect(world.state.workers).toEqual({});
        return;
      }
      const known = [
        ...Object.keys(world.state.workers).map(Number),
        ...Object.values(world.state.molds).flatMap((mold) => mold.pid ?? []),
      ];
      expect(world.orphans.toSorted()).toEqual(known.toSorted());
    }),
    runs,
  );
});

test('a failure to listen on an address ends the herd with that error', () => {
  fc.assert(
    fc.property(steps({ worker_dies: 0, mold_dies: 0, mold_fails: 0 }), (sequence) => {
      const world = new World({ listenFails: true });
      for (const step of sequence) happen(world, step);
      world.settle();
      expectNothingLeft(world);
      expect(world.ended?.error?.code).toBe('ADDRESS_IN_USE');
    }),
    runs,
  );
});
