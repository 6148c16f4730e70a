/** How many workers of a new generation may die before the herd returns to the old one. */
import { describe, expect, test } from 'vitest';
import { decide } from '../decide.ts';
import type { HerdEvent } from '../../herd/events.ts';
import { sampleMold, sampleRollout, sampleSettings, sampleWorker } from '../../samples/samples.ts';
import { initialState, type HerdState } from '../../herd/state.ts';
import type { Writable } from '../../herd/writable.ts';
import { deathsAllowed } from './rollout.ts';

/** A herd in the middle of an exchange: a full old generation, and as many new workers that are booting. */
class Herd {
  state: Writable<HerdState>;
  #nowMs = 100_000;

  constructor(target: number) {
    const settings = { ...sampleSettings, workers: target };
    const each = Array.from({ length: target }, (_, slot) => slot);
    this.state = {
      ...initialState(),
      phase: 'serving',
      settings,
      target,
      generation: 1,
      newestGeneration: 2,
      molds: {
        1: sampleMold(1, { pid: 50, settings, listeners: ['x'] }),
        2: sampleMold(2, { pid: 51, settings, listeners: ['x'] }),
      },
      workers: Object.fromEntries(
        each.flatMap((slot) => [
          [100 + slot, sampleWorker(100 + slot, slot)],
          [200 + slot, sampleWorker(200 + slot, target + slot, { generation: 2, phase: 'booting', readyAtMs: null })],
        ]),
      ),
      rollout: sampleRollout({ phase: 'rolling', targetBefore: target }),
    };
  }

  dies(pid: number): void {
    this.#nowMs += 1000;
    const ended = { exit_status: null, signal: 11, minor_faults: 0, major_faults: 0, cpu_seconds: 0, counters: null };
    const event: HerdEvent = { type: 'keeper_says', message: { type: 'process_exited', pid, ...ended } };
    ({ state: this.state } = decide(this.state, event, this.#nowMs));
  }

  get serving(): number[] {
    return Object.values(this.state.workers)
      .filter(({ generation, phase }) => generation === 1 && phase === 'ready')
      .map(({ pid }) => pid);
  }
}

test('a rollout that is done ends the row of deaths of molds and workers before it', () => {
  const herd = new Herd(2);
  for (const worker of Object.values(herd.state.workers)) {
    if (worker.generation === 2) worker.phase = 'ready';
    else worker.phase = 'draining';
  }
  herd.state = { ...herd.state, moldDeathsInARow: 6, deathsInARow: 4 };
  herd.dies(100);
  expect(herd.state).toMatchObject({ rollout: null, generation: 2, moldDeathsInARow: 0, deathsInARow: 0 });
});

describe('while workers are exchanged', () => {
  test.each([
    [3, 2],
    [6, 3],
    [9, 4],
    [20, 10],
  ])('in a herd of %i, up to %i workers of the new generation may die', (target, allowed) => {
    const herd = new Herd(target);
    for (let deaths = 0; deaths < allowed; deaths += 1) {
      herd.dies(200 + deaths);
      expect(herd.state.rollout, `after ${deaths + 1} deaths`).toMatchObject({ to: 2, deaths: deaths + 1 });
    }
    herd.dies(200 + allowed);
    expect(herd.state.rollout).toBeNull();
    expect(herd.state.lastRollout?.failure).toBe(`worker ${200 + allowed} of the new generation was ended by SIGSEGV`);
    expect(herd.state.generation).toBe(1);
    expect(herd.serving.length).toBe(target);
  });

  test('deaths of the old generation do not count', () => {
    const herd = new Herd(6);
    for (let deaths = 0; deaths < 5; deaths += 1) herd.dies(100 + deaths);
    expect(herd.state.rollout).toMatchObject({ to: 2, deaths: 0 });
  });
});

test('two may die in the smallest herd', () => {
  expect([1, 2, 4, 5].map(deathsAllowed)).toEqual([2, 2, 2, 2]);
});
