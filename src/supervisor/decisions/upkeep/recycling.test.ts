/** Recycling, tick by tick, in a herd whose marked workers are exchanged for new ones. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KeeperMessage, Settings } from '../../../agent/messages.ts';
import { decide } from '../decide.ts';
import type { Draft } from '../../herd/draft.ts';
import type { HerdReading } from '../../herd/events.ts';
import type { RecycleRule } from '../../rules/recycling-state.ts';
import { IDLE_WAIT_MS, look as recycle } from './recycling.ts';
import { sampleMold, sampleRollout, sampleSettings, sampleWorker } from '../../samples/samples.ts';
import { initialState, type HerdState, type WorkerState } from '../../herd/state.ts';
import type { Writable } from '../../herd/writable.ts';

const MIB = 1024 * 1024;

/** What one worker does between two ticks. */
interface Behaviour {
  startsWith: number;
  /** Bytes of private memory per second. */
  grows: number;
  requests: number;
  inFlight: number;
}

const calm: Behaviour = { startsWith: 5 * MIB, grows: 0, requests: 10, inFlight: 0 };

class Herd {
  readonly state: Writable<HerdState>;
  readonly logs: string[] = [];
  readonly wakes: number[] = [];
  nowMs = 100_000;
  cgroup: HerdReading['cgroup'] = null;
  behaviour: (pid: number) => Behaviour;
  readonly #figures = new Map<number, { privateBytes: number; requests: number }>();
  #nextPid = 101;

  constructor(count: number, settings: Partial<Settings>, behaviour: Partial<Behaviour> = {}) {
    this.behaviour = () => ({ ...calm, ...behaviour });
    this.state = {
      ...initialState(),
      phase: 'serving',
      generation: 1,
      target: count,
      settings: { ...sampleSettings, workers: count, ...settings },
      molds: { 1: sampleMold(1, { pid: 50, listeners: [] }) },
    };
    for (let slot = 0; slot < count; slot += 1) this.fork(slot);
  }

  get workers(): Writable<WorkerState>[] {
    return Object.values(this.state.workers);
  }

  get marked(): number[] {
    return this.workers.filter((worker) => worker.replaceBecause !== null).map((worker) => worker.pid);
  }

  get counts(): Partial<Record<RecycleRule, number>> {
    return Object.fromEntries(Object.entries(this.state.recycling.counts).filter(([, count]) => count > 0));
  }

  fork(slot: number): void {
    const pid = this.#nextPid;
    this.#nextPid += 1;
    this.state.workers[pid] = sampleWorker(pid, slot, { forkedAtMs: this.nowMs, readyAtMs: this.nowMs });
    this.#figures.set(pid, { privateBytes: this.behaviour(pid).startsWith, requests: 0 });
  }

  /** Each marked worker has gone, and its replacement is ready. */
  exchange(): void {
    for (const pid of this.marked) {
      const { slot } = this.state.workers[pid]!;
      delete this.state.workers[pid];
      this.fork(slot);
    }
  }

  set(pid: number, figures: { privateBytes?: number; requests?: number }): void {
    Object.assign(this.#figures.get(pid)!, figures);
  }

  /** Seconds pass, without an exchange. */
  after(seconds = 1, options: { sampled?: boolean } = {}): this {
    for (let second = 0; second < seconds; second += 1) {
      this.nowMs += 1000;
      for (const [pid, figures] of this.#figures) {
        const { grows, requests } = this.behaviour(pid);
        figures.privateBytes += grows;
        figures.requests += requests;
      }
      const draft: Draft = { state: this.state, nowMs: this.nowMs, actions: [], answer: null };
      recycle(draft, this.#heartbeats(), options.sampled === false ? undefined : this.#look());
      for (const action of draft.actions) {
        if (action.do === 'log') this.logs.push(`${action.level}: ${action.text}`);
        if (action.do === 'wake') this.wakes.push(action.atMs - this.nowMs);
      }
    }
    return this;
  }

  #heartbeats() {
    return this.workers.map(({ pid }) => ({
      pid,
      agoMs: 0,
      requestsFinished: this.#figures.get(pid)!.requests,
      inFlight: this.behaviour(pid).inFlight,
    }));
  }

  #look(): HerdReading {
    const workers = this.workers.map(({ pid }) => {
      const { privateBytes } = this.#figures.get(pid)!;
      return {
        pid,
        sampledAtMs: this.nowMs - 100,
        private: privateBytes,
        unshared: 0,
        pss: privateBytes + 10 * MIB,
        rss: privateBytes + 100 * MIB,
      };
    });
    const pss = 50 * MIB + workers.reduce((sum, each) => sum + each.pss, 0);
    return { workers, pss, cgroup: this.cgroup };
  }
}

describe('memory', () => {
  test.each([
    ['private', { recycle_private_bytes: 100 * MIB }],
    ['pss', { recycle_pss_bytes: 110 * MIB }],
    ['rss', { recycle_rss_bytes: 200 * MIB }],
  ] as const)('three samples over the limit of %s: the worker is marked', (rule, settings) => {
    const herd = new Herd(2, settings).after(5);
    herd.set(102, { privateBytes: 101 * MIB });
    expect(herd.after(2).marked).toEqual([]);
    expect(herd.after(1).marked).toEqual([102]);
    expect(herd.counts).toEqual({ [rule]: 1 });
    expect(herd.state.workers[102]!.replaceBecause).toMatch(new RegExp(`, recycle_${rule} is [12][01]0.0 MiB$`));
    expect(herd.logs).toEqual([`info: Replacing worker 102 (slot 1): ${herd.state.workers[102]!.replaceBecause}`]);
  });

  test('a spike does not count, nor does one sample that is seen many times', () => {
    const herd = new Herd(1, { recycle_private_bytes: 100 * MIB }).after(5);
    for (let round = 0; round < 5; round += 1) {
      herd.set(101, { privateBytes: 150 * MIB });
      herd.after(2);
      herd.set(101, { privateBytes: 50 * MIB });
      herd.after(1);
    }
    herd.set(101, { privateBytes: 150 * MIB });
    herd.after(1).after(10, { sampled: false });
    expect(herd.marked).toEqual([]);
  });

  test('a worker with requests in flight is spared, but not forever', () => {
    const herd = new Herd(1, { recycle_private_bytes: 100 * MIB }, { inFlight: 1 }).after(5);
    herd.set(101, { privateBytes: 101 * MIB });
    expect(herd.after(2 + IDLE_WAIT_MS / 1000).marked).toEqual([]);
    expect(herd.after(1).marked).toEqual([101]);
  });

  test('an idle worker goes first', () => {
    const herd = new Herd(3, { recycle_private_bytes: 100 * MIB }).after(5);
    herd.behaviour = (pid) => ({ ...calm, inFlight: pid === 103 ? 0 : 1 });
    for (const pid of [101, 102, 103]) herd.set(pid, { privateBytes: 101 * MIB });
    expect(herd.after(3).marked).toEqual([103]);
  });

  test('few at a time, but all of them in the end', () => {
    const herd = new Herd(20, { recycle_private_bytes: 100 * MIB }).after(5);
    for (const { pid } of herd.workers) herd.set(pid, { privateBytes: 101 * MIB });
    const before = new Set(herd.workers.map((worker) => worker.pid));
    for (let second = 0; second < 30; second += 1) {
      expect(herd.after(1).marked.length).toBeLessThanOrEqual(2);
      herd.exchange();
    }
    expect(herd.workers.some((worker) => before.has(worker.pid))).toBe(false);
    expect(herd.counts).toEqual({ private: 20 });
  });

  test('workers that still finish their requests count, too', () => {
    const herd = new Herd(4, { recycle_private_bytes: 100 * MIB }).after(5);
    for (const { pid } of herd.workers) herd.set(pid, { privateBytes: 101 * MIB });
    for (let second = 0; second < 10; second += 1) {
      herd.after(1);
      for (const worker of herd.workers) {
        if (worker.replaceBecause === null || worker.phase === 'draining') continue;
        worker.phase = 'draining';
        herd.fork(worker.slot);
      }
    }
    expect(herd.marked.length).toBe(2);
  });
});

describe('a sample taken before a worker served', () => {
  /** One of two workers takes 150 MiB while it boots, and becomes ready between the sample and the tick. */
  function starting(): Herd {
    const herd = new Herd(2, { recycle_private_bytes: 100 * MIB }).after(5);
    const worker = herd.state.workers[102]!;
    Object.assign(worker, { phase: 'booting', readyAtMs: null });
    herd.set(102, { privateBytes: 150 * MIB });
    herd.after(10);
    Object.assign(worker, { phase: 'ready', readyAtMs: herd.nowMs + 950 });
    return herd.after(1);
  }

  test('does not count: a worker that has returned the memory stays', () => {
    const herd = starting();
    herd.after(2);
    herd.set(102, { privateBytes: 50 * MIB });
    herd.after(10);
    expect(herd.logs).toEqual([]);
    expect(herd.marked).toEqual([]);
  });

  test('is followed by three samples that do', () => {
    const herd = starting().after(2);
    expect(herd.marked).toEqual([]);
    expect(herd.after(1).marked).toEqual([102]);
  });
});

describe('a limit below the minimum of a new worker', () => {
  test('stops the rule before anything is replaced', () => {
    const herd = new Herd(2, { recycle_private_bytes: 4 * MIB }).after(30);
    expect(herd.counts).toEqual({});
    expect(herd.state.recycling.stopped).toHaveLength(1);
    expect(herd.logs).toEqual([
      'error: Recycling by recycle_private is stopped: 5.0 MiB of private memory, recycle_private is 4.0 MiB;' +
        ' worker 101 exceeded it from its start, and every replacement would too. Raise the limit and reload',
    ]);
  });

  test('stops the rule after three workers, if it is exceeded with the first requests', () => {
    const herd = new Herd(1, { recycle_private_bytes: 30 * MIB }, { startsWith: 20 * MIB, grows: 8 * MIB });
    for (let second = 0; second < 60; second += 1) {
      herd.after(1);
      herd.exchange();
    }
    expect(herd.counts).toEqual({ private: 2 });
    expect(herd.logs.at(-1)).toContain('3 workers in a row exceeded it as soon as they served');
  });

  test('leaves other rules alone, and a new limit or a new generation restarts the rule', () => {
    const herd = new Herd(1, { recycle_private_bytes: 4 * MIB, recycle_age_seconds: 20 }).after(10);
    expect(herd.state.recycling.stopped.map((each) => each.rule)).toEqual(['private']);
    expect(herd.after(10).marked).toEqual([101]);
    expect(herd.counts).toEqual({ age: 1 });
    herd.state.settings!.recycle_private_bytes = 40 * MIB;
    herd.exchange();
    expect(herd.after(1).state.recycling.stopped).toEqual([]);
    herd.state.settings!.recycle_private_bytes = 4 * MIB;
    expect(herd.after(3).state.recycling.stopped).toHaveLength(1);
    herd.state.generation = 2;
    herd.state.molds[2] = sampleMold(2, { pid: 51 });
    herd.state.recycling.watches = {};
    expect(herd.after(1).state.recycling.stopped).toEqual([]);
  });

  test('a leak is no such case: workers that exceed the limit late are replaced forever', () => {
    const herd = new Herd(2, { recycle_private_bytes: 100 * MIB }, { grows: 10 * MIB });
    for (let second = 0; second < 300; second += 1) {
      herd.after(1);
      herd.exchange();
    }
    expect(herd.state.recycling.stopped).toEqual([]);
    expect(herd.state.recycling.counts.private).toBeGreaterThan(30);
  });

  test('without samples the memory rules log an error, once', () => {
    const herd = new Herd(1, { recycle_pss_bytes: 1, herd_memory: 'auto', sampling_budget_percent: 0 }).after(5);
    expect(herd.logs).toEqual([
      'error: Recycling by recycle_pss is stopped: sampling_budget is 0, so memory is not sampled',
      'error: Recycling by herd_memory is stopped: sampling_budget is 0, so memory is not sampled',
    ]);
  });
});

describe('requests', () => {
  test('after max_requests, with jitter, even if the worker is never idle', () => {
    const herd = new Herd(8, { max_requests: 100, max_requests_jitter: 50 }, { inFlight: 3 });
    const limits: number[] = [];
    for (let second = 0; second < 100; second += 1) {
      for (const pid of herd.after(1).marked) {
        limits.push(
          Number(/max_requests is (\d+) for this worker/.exec(herd.state.workers[pid]!.replaceBecause!)?.[1]),
        );
      }
      herd.exchange();
    }
    expect(Math.min(...limits)).toBeGreaterThanOrEqual(100);
    expect(Math.max(...limits)).toBeLessThanOrEqual(150);
    expect(new Set(limits).size).toBeGreaterThan(20);
    expect(herd.counts).toEqual({ requests: limits.length });
  });

  test('are looked at when the limit will be reached, if that is before the next tick', () => {
    const herd = new Herd(1, { max_requests: 1000 }, { requests: 400 }).after(2);
    expect(herd.wakes).toEqual([500]);
    expect(herd.marked).toEqual([]);
    expect(herd.after(1).marked).toEqual([101]);
  });
});

test('age, with jitter', () => {
  const herd = new Herd(10, { recycle_age_seconds: 60, recycle_age_jitter_seconds: 60 });
  const ages = new Map<number, number>();
  for (let second = 1; second <= 130; second += 1) {
    for (const pid of herd.after(1).marked) ages.set(pid, second);
    herd.exchange();
  }
  const first = [...ages].filter(([pid]) => pid <= 110).map(([, age]) => age);
  expect(first).toHaveLength(10);
  expect(Math.min(...first)).toBeGreaterThanOrEqual(60);
  expect(Math.max(...first)).toBeLessThanOrEqual(121);
  expect(new Set(first).size).toBeGreaterThan(5);
});

describe('the budget of the herd', () => {
  test('the worker with most private memory goes, one at a time, and each effect is awaited', () => {
    // 50 MiB of molds, and 4 workers with 5 MiB private and 10 MiB shared each.
    const herd = new Herd(4, { herd_memory: 200 * MIB }).after(20);
    expect(herd.state.recycling.herd.budget).toEqual({ used: 110 * MIB, limit: 200 * MIB });
    herd.set(102, { privateBytes: 80 * MIB });
    herd.set(103, { privateBytes: 90 * MIB });
    expect(herd.after(2).marked).toEqual([]);
    expect(herd.after(1).marked).toEqual([103]);
    expect(herd.state.workers[103]!.replaceBecause).toBe(
      'the herd uses 270.0 MiB, herd_memory is 200.0 MiB; this worker has the most private memory, 90.0 MiB',
    );
    expect(herd.after(20).marked).toEqual([103]);
    herd.set(101, { privateBytes: 85 * MIB });
    herd.exchange();
    expect(herd.after(5).marked).toEqual([]);
    expect(herd.after(1).marked).toEqual([101]);
    herd.exchange();
    expect(herd.after(60).marked).toEqual([]);
    expect(herd.counts).toEqual({ herd_memory: 2 });
  });

  test('auto uses the cgroup', () => {
    const herd = new Herd(2, { herd_memory: 'auto' });
    herd.cgroup = { limit: 1000 * MIB, used: 899 * MIB };
    expect(herd.after(30).marked).toEqual([]);
    herd.cgroup = { limit: 1000 * MIB, used: 901 * MIB };
    herd.set(102, { privateBytes: 30 * MIB });
    expect(herd.after(4).marked).toEqual([102]);
  });

  test('auto without a limit logs an error', () => {
    const herd = new Herd(2, { herd_memory: 'auto' });
    herd.cgroup = { limit: null, used: 1 };
    expect(herd.after(5).logs).toEqual([
      'error: Recycling by herd_memory is stopped: no memory limit of the cgroup is visible',
    ]);
  });

  test('below the minimum of the herd, stops when all workers were replaced in vain', () => {
    const herd = new Herd(3, { herd_memory: 60 * MIB });
    for (let second = 0; second < 300; second += 1) {
      herd.after(1);
      herd.exchange();
    }
    expect(herd.counts).toEqual({ herd_memory: 3 });
    expect(herd.logs.at(-1)).toContain('all 3 workers were replaced, and it is still over the limit');
  });
});

describe('nothing is recycled', () => {
  const due = (): Herd => {
    const herd = new Herd(2, { recycle_private_bytes: 100 * MIB }).after(5);
    herd.set(101, { privateBytes: 101 * MIB });
    return herd;
  };

  test('during a rollout', () => {
    const herd = due();
    herd.state.rollout = sampleRollout();
    expect(herd.after(30).marked).toEqual([]);
    herd.state.rollout = null;
    expect(herd.after(1).marked).toEqual([101]);
  });

  test('without a mold, in a crash loop, while a worker is missing, or while the herd stops', () => {
    const herd = due();
    herd.state.molds[1]!.phase = 'leaving';
    expect(herd.after(5).marked).toEqual([]);
    herd.state.molds[1]!.phase = 'ready';
    herd.state.crashLoop = { startedAtMs: 0, deaths: 3, lastError: '' };
    expect(herd.after(5).marked).toEqual([]);
    herd.state.crashLoop = null;
    herd.state.target = 3;
    expect(herd.after(5).marked).toEqual([]);
    herd.state.target = 2;
    herd.state.phase = 'stopping';
    expect(herd.after(5).marked).toEqual([]);
  });
});

test('a marked worker is told to leave when its replacement is ready, and no sooner', () => {
  const { state } = new Herd(2, { max_requests: 5 });
  const heartbeats = [101, 102].map((pid) => ({ pid, agoMs: 0, requestsFinished: pid - 97, inFlight: 0 }));
  const marked = decide(state, { type: 'tick', heartbeats }, 200_000);
  const forks = marked.actions.filter((action) => action.do === 'tell_mold').map((action) => action.message);
  expect(forks).toEqual([{ type: 'fork', slot: 2 }]);
  expect(marked.actions.some((action) => action.do === 'signal')).toBe(false);
  const says = (before: HerdState, message: KeeperMessage) => decide(before, { type: 'keeper_says', message }, 200_100);
  const of = { generation: 1, pid: 103 };
  const forked = says(marked.state, { type: 'worker_forked', ...of, slot: 2, forked_monotonic_ns: 0, scoreboard: 9 });
  expect(forked.actions.some((action) => action.do === 'signal')).toBe(false);
  const ready = says(forked.state, { type: 'from_worker', ...of, message: { type: 'worker_ready' } });
  expect(ready.actions.filter((action) => action.do === 'signal')).toEqual([{ do: 'signal', pid: 102, signal: 15 }]);
  expect(ready.state.workers[102]?.phase).toBe('draining');
});

test('whatever the workers do: few at a time, each for a reason, and no rule forever', () => {
  const figures = fc.record({
    startsWith: fc.integer({ min: 0, max: 60 * MIB }),
    grows: fc.integer({ min: 0, max: 20 * MIB }),
    requests: fc.nat(300),
    inFlight: fc.nat(2),
  });
  const settings = fc.record({
    recycle_private_bytes: fc.constantFrom(0, 20 * MIB, 100 * MIB),
    recycle_pss_bytes: fc.constantFrom(0, 80 * MIB),
    recycle_samples: fc.integer({ min: 1, max: 5 }),
    max_requests: fc.constantFrom(0, 50, 1000),
    max_requests_jitter: fc.nat(100),
    recycle_age_seconds: fc.constantFrom(0, 30),
    herd_memory: fc.constantFrom<Settings['herd_memory']>('off', 'auto', 100 * MIB, 2000 * MIB),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 24 }),
      settings,
      fc.array(figures, { minLength: 1, maxLength: 5 }),
      fc.infiniteStream(fc.boolean()),
      (count, chosen, behaviours, exchanges) => {
        const herd = new Herd(count, chosen);
        herd.behaviour = (pid) => behaviours[pid % behaviours.length]!;
        let marked = 0;
        for (let second = 0; second < 120; second += 1) {
          const before = herd.marked.length;
          herd.after(1);
          marked += herd.marked.length - before;
          expect(herd.marked.length).toBeLessThanOrEqual(Math.max(1, Math.floor(count / 10)));
          expect(herd.marked.every((pid) => herd.state.workers[pid]!.replaceBecause !== '')).toBe(true);
          if (exchanges.next().value === true) herd.exchange();
        }
        const counted = Object.values(herd.state.recycling.counts).reduce((sum, each) => sum + each, 0);
        expect(counted).toBe(marked);
        const rules = herd.state.recycling.stopped.map((each) => each.rule);
        expect(new Set(rules).size).toBe(rules.length);
        expect(Object.keys(herd.state.recycling.watches).length).toBeLessThanOrEqual(count);
      },
    ),
    { numRuns: 40 },
  );
}, 60_000);
