/** Healing by rule in a herd: who is told what, and when the host is changed and restored. */
import { describe, expect, test } from 'vitest';
import { mebibytes, milliseconds } from '../../../base/units.ts';
import { decide } from '../decide.ts';
import type { Action, HerdEvent, MergingReading } from '../../herd/events.ts';
import { sampleMold, sampleSettings, sampleWorker, signalsIn } from '../../samples/samples.ts';
import { SIGMERGE } from '../../herd/signals.ts';
import { initialState, type HerdState } from '../../herd/state.ts';
import type { Writable } from '../../herd/writable.ts';

const MIB = 1024 * 1024;
const idle: MergingReading = { problem: null, sample: null, ksmdMs: milliseconds(100) };

/** Three workers, of which the third has unshared little. */
class Herd {
  state: Writable<HerdState> = {
    ...initialState(),
    phase: 'serving',
    settings: { ...sampleSettings, heal: true, workers: 3 },
    target: 3,
    generation: 1,
    newestGeneration: 1,
    molds: { 1: sampleMold(1, { pid: 50, settings: sampleSettings, listeners: ['x'] }) },
    workers: Object.fromEntries([101, 102, 103].map((pid) => [pid, sampleWorker(pid, pid - 101)])),
  };
  actions: Action[] = [];
  nowMs = 10_000;
  unsharedMib = [80, 80, 2];

  event(event: HerdEvent): this {
    const decision = decide(this.state, event, this.nowMs);
    this.state = decision.state;
    this.actions.push(...decision.actions);
    return this;
  }

  ticks(count: number, merging: MergingReading | ((tick: number) => MergingReading) = idle): this {
    for (let tick = 1; tick <= count; tick += 1) {
      this.nowMs += 1000;
      const workers = [101, 102, 103].map((pid, index) => ({
        pid,
        sampledAtMs: this.nowMs - 10,
        rss: 0,
        pss: 0,
        private: 0,
        unshared: (this.unsharedMib[index] ?? 0) * MIB,
      }));
      this.event({
        type: 'tick',
        heartbeats: [],
        memory: { workers, pss: 500 * MIB, cgroup: null },
        merging: typeof merging === 'function' ? merging(tick) : merging,
      });
    }
    return this;
  }

  /** The actions since the last call. */
  take(): { does: string[]; told: number[]; logs: string[] } {
    const actions = this.actions.splice(0);
    return {
      does: actions.flatMap((action) => (action.do.endsWith('_merging') ? action.do : [])),
      told: [
        ...actions.flatMap((action) =>
          action.do === 'tell_mold' && action.message.type === 'merge_memory' ? action.generation : [],
        ),
        ...signalsIn(actions).flatMap(([pid, signal]) => (signal === SIGMERGE ? pid : [])),
      ],
      logs: actions.flatMap((action) => (action.do === 'log' ? action.text : [])),
    };
  }
}

const passes = (tick: number): MergingReading => ({
  problem: null,
  sample: { fullScans: tick, merged: mebibytes(tick < 3 ? 0 : 300) },
  ksmdMs: milliseconds(100 + tick * 50),
});

describe('by rule', () => {
  test('workers over the limit and their mold are told, KSM is on until the heal has settled, and the win is logged', () => {
    const herd = new Herd().ticks(4);
    expect(herd.take()).toEqual({ does: [], told: [], logs: [] });
    herd.ticks(1);
    expect(herd.take()).toEqual({
      does: ['start_merging'],
      told: [1, 101, 102],
      logs: ['Healing: 2 worker(s) have 160.0 MiB unshared; estimated saving: 80.0 MiB of 500.0 MiB'],
    });
    herd.ticks(3, passes);
    expect(herd.take().does).toEqual([]);
    herd.unsharedMib = [10, 10, 2];
    herd.ticks(1, (tick) => passes(tick + 3));
    expect(herd.take().does).toEqual(['stop_merging']);
    herd.ticks(1);
    expect(herd.take().logs).toEqual([
      'The heal saved 140.0 MiB in 4.0 s, using 200 ms of CPU time of ksmd (estimated: 80.0 MiB)',
    ]);
  });

  test('not without the setting', () => {
    const herd = new Herd();
    herd.state.settings = { ...sampleSettings, heal: false };
    expect(herd.ticks(30).take()).toEqual({ does: [], told: [], logs: [] });
  });

  test('if nothing can be healed, one line says why, once', () => {
    const problem = { problem: 'KSM is root’s', sample: null, ksmdMs: null };
    const herd = new Herd().ticks(30, problem);
    expect(herd.take()).toEqual({ does: [], told: [], logs: ['heal is on, but cannot work here: KSM is root’s'] });
    expect(herd.state.heal.problem).toBe('KSM is root’s');
    herd.ticks(5);
    expect(herd.state.heal.problem).toBeNull();
    expect(herd.take().does).toEqual(['start_merging']);
  });

  test('a heal that could not begin is the last', () => {
    const herd = new Herd().ticks(5);
    herd.take();
    herd.event({ type: 'merging_failed', reason: 'another one merges' });
    expect(herd.take().logs).toEqual(['Cannot heal: another one merges']);
    expect(herd.ticks(100).take().does).toEqual([]);
  });

  test('a heal that won little is the last until new code is loaded', () => {
    const herd = new Herd().ticks(5).ticks(6, passes).ticks(2);
    const { logs } = herd.take();
    expect(logs.at(-1)).toMatch(/^No more heals until the code is reloaded: the last heal saved 0.0 MiB/);
    expect(herd.ticks(600).take().does).toEqual([]);
    const outcome = {
      kind: 'reload',
      by: 'a test',
      from: 1,
      to: 2,
      startedAtMs: 0,
      endedAtMs: 9,
      failure: null,
    } as const;
    herd.state.lastRollout = outcome;
    expect(herd.ticks(5).take().does).toEqual(['start_merging']);
  });
});

describe('breaking off', () => {
  const underWay = (): Herd => {
    const herd = new Herd().ticks(5).ticks(2, passes);
    herd.take();
    return herd;
  };

  test('by a stop: the host is restored', () => {
    const herd = underWay();
    herd.event({ type: 'stop_requested', by: 'SIGTERM', quick: false }).ticks(1, passes);
    expect(herd.take().does).toEqual(['stop_merging']);
    expect(herd.state.heal.rules.heal).toBeNull();
  });

  test('by a reload', () => {
    const herd = underWay();
    herd.event({ type: 'reload_requested', by: 'SIGHUP' }).ticks(3, passes);
    expect(herd.take().does).toEqual(['stop_merging']);
  });

  test('by a setting that is removed', () => {
    const herd = underWay();
    herd.state.settings = { ...sampleSettings, heal: false };
    expect(herd.ticks(2, passes).take().does).toEqual(['stop_merging']);
  });

  test('by the death of its supervisor: the next one begins again, after a pause', () => {
    const herd = underWay();
    herd.ticks(1);
    expect(herd.state.heal.rules.heal).toBeNull();
    expect(herd.ticks(58).take().does).toEqual([]);
    expect(herd.ticks(7).take().does).toEqual(['start_merging']);
  });
});

describe('by hand', () => {
  test('molds and ready workers are told, and no others', () => {
    const herd = new Herd();
    herd.state.workers[102] = sampleWorker(102, 1, { phase: 'booting', readyAtMs: null });
    herd.state.workers[103] = sampleWorker(103, 2, { phase: 'draining' });
    const { answer } = decide(herd.state, { type: 'merge_requested', by: 'a test' }, 1);
    expect(answer).toMatchObject({ accepted: true, text: expect.stringContaining('1 mold(s) and 1 worker(s)') });
    herd.event({ type: 'merge_requested', by: 'a test' });
    expect(herd.take().told).toEqual([1, 101]);
  });

  test('not in a herd that is stopping', () => {
    const herd = new Herd();
    herd.event({ type: 'stop_requested', by: 'SIGTERM', quick: false });
    const { answer } = decide(herd.state, { type: 'merge_requested', by: 'a test' }, 1);
    expect(answer).toMatchObject({ accepted: false });
  });
});
