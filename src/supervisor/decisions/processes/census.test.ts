/** The census by example: requested, taken once, and reported. */
import { expect, test } from 'vitest';
import { PROTOCOL_VERSION, type KeeperMessage, type MoldMessage } from '../../../agent/messages.ts';
import { censusReport, NO_ANSWER_MS, type CensusReport } from './census.ts';
import { decide } from '../decide.ts';
import type { Action, HerdEvent } from '../../herd/events.ts';
import { sampleMold, sampleSettings } from '../../samples/samples.ts';
import { initialState, type HerdState } from '../../herd/state.ts';

const MOLD = 50;

class Herd {
  state: HerdState = {
    ...initialState(),
    phase: 'serving',
    settings: sampleSettings,
    keeperPid: 40,
    generation: 1,
    newestGeneration: 1,
    molds: { 1: sampleMold(1, { pid: MOLD }) },
  };
  nowMs = 1000;
  actions: Action[] = [];

  event(event: HerdEvent): this {
    ({ state: this.state, actions: this.actions } = decide(this.state, event, this.nowMs));
    return this;
  }

  asks(): this {
    return this.event({ type: 'census_requested' });
  }

  says(message: MoldMessage, generation = 1): this {
    return this.hears({ type: 'from_mold', generation, message });
  }

  hears(message: KeeperMessage): this {
    return this.event({ type: 'keeper_says', message });
  }

  moldEnds(): this {
    return this.hears({
      type: 'process_exited',
      pid: MOLD,
      exit_status: null,
      signal: 9,
      minor_faults: 0,
      major_faults: 0,
      cpu_seconds: 0,
      counters: null,
    });
  }

  after(ms: number): this {
    this.nowMs += ms;
    return this.event({ type: 'tick', heartbeats: [] });
  }

  get told(): number[] {
    return this.actions.flatMap((action) =>
      action.do === 'tell_mold' && action.message.type === 'census' ? [action.generation] : [],
    );
  }

  get removed(): number[] {
    return this.actions.flatMap((action) => (action.do === 'remove_census' ? [action.generation] : []));
  }

  get logs(): string[] {
    return this.actions.flatMap((action) => (action.do === 'log' ? [`${action.level}: ${action.text}`] : []));
  }

  get report(): CensusReport {
    return censusReport(this.state, '/run/herd', this.nowMs);
  }
}

const written: MoldMessage = { type: 'census_written', objects: 1_234_567, seconds: 2.1 };
const failed: MoldMessage = { type: 'census_failed', reason: 'the scout was killed by SIGKILL' };

test('it is taken once, and kept', () => {
  const herd = new Herd();
  expect(herd.report.phase).toBe('none');
  expect(herd.asks().told).toEqual([1]);
  expect(herd.asks().told).toEqual([]);
  expect(herd.after(1500).report).toMatchObject({ phase: 'under_way', seconds: 1.5, path: null });
  expect(herd.says(written).logs).toEqual(['info: A census of generation 1 was taken in 2.1 s: 1,234,567 objects']);
  expect(herd.report).toEqual({
    generation: 1,
    phase: 'written',
    path: '/run/herd/census-1',
    reason: null,
    seconds: 2.1,
  });
  expect(herd.asks().told).toEqual([]);
  expect(herd.after(NO_ANSWER_MS).report.phase).toBe('written');
});

test('a failed scout is logged, and sent again on the next request', () => {
  const herd = new Herd().asks().says(failed);
  expect(herd.logs).toEqual(['warning: No census of generation 1: the scout was killed by SIGKILL']);
  expect(herd.report).toMatchObject({ phase: 'failed', reason: 'the scout was killed by SIGKILL' });
  expect(herd.asks().told).toEqual([1]);
  expect(herd.report.phase).toBe('under_way');
});

test('a mold that does not answer is given up, but a late answer still counts', () => {
  const herd = new Herd().asks().after(NO_ANSWER_MS - 1);
  expect(herd.report.phase).toBe('under_way');
  expect(herd.after(1).report).toMatchObject({ phase: 'failed', reason: 'the mold has not answered within 310 s' });
  expect(herd.says(written).report.phase).toBe('written');
  // A failure of an earlier census takes nothing away.
  expect(herd.says(failed).report.phase).toBe('written');
});

test('it is removed with its mold', () => {
  const herd = new Herd().asks();
  expect(herd.moldEnds().removed).toEqual([1]);
  expect(herd.report).toMatchObject({ phase: 'failed', reason: 'generation 1 has no mold that is ready' });
  // The file was written before the mold died, and is reported afterwards.
  expect(herd.says(written).removed).toEqual([1]);
  expect(new Herd().moldEnds().removed).toEqual([]);
  expect(new Herd().asks().says(written).moldEnds().removed).toEqual([1]);
});

test('it is removed when the keeper dies', () => {
  const herd = new Herd().asks().says(written);
  herd.event({ type: 'keeper_exited', python: 'python3', exitStatus: null, signal: 'SIGKILL' });
  expect(herd.removed).toEqual([1]);
});

test('only a ready mold of a serving herd is asked', () => {
  const stopping = new Herd().event({ type: 'stop_requested', by: 'SIGTERM', quick: false });
  expect(stopping.asks().told).toEqual([]);
  expect(stopping.report.phase).toBe('failed');
  const loading = new Herd();
  loading.state = { ...loading.state, molds: { 1: sampleMold(1, { pid: MOLD, phase: 'loading' }) } };
  expect(loading.asks().told).toEqual([]);
  expect(loading.report.phase).toBe('failed');
});

test('a supervisor that adopts the herd still has it, unless the mold is gone', () => {
  const before = new Herd().asks().says(written).state;
  const inventory = {
    type: 'inventory' as const,
    protocol: PROTOCOL_VERSION,
    pid: 40,
    executable: 'python3',
    python_version: '3.13.0',
    workers: [],
    listeners: [],
    endings: [],
    unheard: [],
  };
  const adopts = (molds: number[]): Herd => {
    const herd = new Herd();
    herd.state = initialState();
    const configured = {
      type: 'configured' as const,
      settings: sampleSettings,
      python_version: '3.13.0',
      gunicorn_version: '27.0.1',
      executable: 'python3',
      remarks: [],
    };
    const ready = {
      type: 'mold_ready' as const,
      policy: 'freeze',
      asked_policy: 'auto',
      remarks: [],
      report: {},
      modules: 1,
      threads: 0,
    };
    return herd.event({
      type: 'adopted',
      saved: before,
      supervisorPid: 1,
      isOtherwiseStarted: false,
      rows: {},
      inventory: {
        ...inventory,
        molds: molds.map((generation) => ({
          generation,
          pid: MOLD,
          configured,
          ready,
          has_listeners: true,
          forking: [],
        })),
      },
    });
  };
  expect(adopts([1]).report).toMatchObject({ phase: 'written', path: '/run/herd/census-1' });
  expect(adopts([]).removed).toEqual([1]);
});
