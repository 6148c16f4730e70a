/** docs/status.md and the output of `cowherd status --json` must have the same fields. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bytes, milliseconds } from '../../base/units.ts';
import { sampleMold, sampleRollout, sampleWorker } from '../samples/samples.ts';
import { initialState } from '../herd/state.ts';
import { STATUS_VERSION, statusReport } from './status.ts';

const page = readFileSync(new URL('../../../docs/status.md', import.meta.url), 'utf8');

/**
 * Paths of all values, such as `workers[].memory.rss`. A mold's `report` is one value: its contents are not guaranteed.
 */
function fields(value: unknown, path: string): string[] {
  if (path === 'molds[].report' || value === null || typeof value !== 'object') return [path];
  if (Array.isArray(value)) {
    const inside = value.flatMap((each) => (typeof each === 'object' ? fields(each, `${path}[]`) : []));
    return inside.length > 0 ? inside : [path];
  }
  const prefix = path === '' ? '' : `${path}.`;
  return Object.entries(value).flatMap(([key, each]) => fields(each, `${prefix}${key}`));
}

/** A report in which nothing is null or empty. */
function completeReport(): unknown {
  const amount = bytes(1);
  const memory = { rss: amount, pss: amount, shared: amount, private: amount, unshared: amount, fresh: amount };
  const state = initialState();
  state.listeners = ['http://127.0.0.1:8000'];
  state.generation = 1;
  state.molds[1] = sampleMold(1, {
    pid: 10,
    policy: 'freeze',
    remarks: [{ policy: 'immortal', reason: 'a reason' }],
    report: { heap: {} },
  });
  state.rollout = sampleRollout();
  state.refork.rules = {
    ...state.refork.rules,
    stoppedBecause: 'a reason',
    wins: [{ generation: 2, won: 1, wonPerWorker: 1, estimated: amount }],
  };
  state.heal.rules = {
    ...state.heal.rules,
    heal: {
      startedAtMs: 0,
      unsharedBefore: {},
      estimated: amount,
      progress: null,
      ksmdBeforeMs: null,
      ended: null,
    },
    stoppedBecause: 'a reason',
    wins: [{ won: 1, estimated: amount, tookMs: milliseconds(1), ksmdMs: milliseconds(1) }],
  };
  state.lastRollout = { kind: 'reload', by: 'SIGHUP', from: 1, to: 2, startedAtMs: 0, endedAtMs: 1, failure: 'x' };
  state.crashLoop = { startedAtMs: 0, deaths: 3, lastError: 'x' };
  state.recycling.stopped = [{ rule: 'private', because: 'x', generation: 1, limit: 1 }];
  state.recycling.herd.budget = { used: 1, limit: 1 };
  state.guardCalls = [{ function: 'collect', package: 'p', file: 'f', line: 1, held: false, workers: 1 }];
  state.workers[11] = sampleWorker(11, 0, { replaceBecause: 'a reason' });
  state.predecessor = { keeperPid: 30, protocol: 1, phase: 'serving' };
  state.keeperPulse = { heardAtMs: 0, isSilent: true, queues: [{ name: 'n', waiting: 1, most: 2 }] };
  return statusReport({
    state,
    nowMs: 2000,
    nowMonotonicNs: 0n,
    startedAtMs: 0,
    folder: '/srv/shop',
    runtimeDirectory: '/run/cowherd/shop',
    python: '/usr/bin/python3',
    supervisor: { pid: 8, rss: 1 },
    keeperRss: 1,
    sampleOf: () => ({ memory, minorFaults: 1, majorFaults: 1, sampledAtMs: milliseconds(1) }),
    rowOf: () => null,
    isAlive: () => true,
    sampling: { budgetPercent: 1, spentPercent: 1 },
    host: { memory_total: 1, memory_free: 1, memory_available: 1, page_cache: 1 },
  });
}

test('the page lists every field once', () => {
  const listed = [...page.matchAll(/^\| `([a-z_.[\]]+)` \|/gm)].map(([, name]) => name);
  expect(new Set(listed)).toEqual(new Set(fields(completeReport(), '')));
  expect(new Set(listed).size).toBe(listed.length);
});

test('the page names the version', () => {
  expect(page).toContain(`\`version\` is ${STATUS_VERSION}.`);
});
