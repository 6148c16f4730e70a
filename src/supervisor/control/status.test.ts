import { expect, test } from 'vitest';
import { sampleMold, sampleRow as row, sampleWorker } from '../samples/samples.ts';
import { initialState, type HerdState } from '../herd/state.ts';
import { statusReport, type ProcessSample, type StatusInput } from './status.ts';

const MIB = 1024 * 1024;
const SECOND_NS = 1_000_000_000n;

function sample(rss: number, pss: number): ProcessSample {
  return {
    memory: { rss, pss, shared: rss - 10 * MIB, private: 10 * MIB, unshared: 4 * MIB, fresh: 6 * MIB },
    minorFaults: 7,
    majorFaults: 1,
    sampledAtMs: 9500,
  };
}

function input(state: Partial<HerdState>, more: Partial<StatusInput> = {}): StatusInput {
  return {
    state: { ...initialState(), phase: 'serving', ...state },
    nowMs: 10_000,
    nowMonotonicNs: 10n * SECOND_NS,
    startedAtMs: 1000,
    folder: '/srv/shop',
    runtimeDirectory: '/run/cowherd/shop',
    python: '/usr/bin/python3',
    supervisor: { pid: 1, rss: 70 * MIB },
    keeperRss: 12 * MIB,
    sampleOf: () => null,
    rowOf: () => null,
    isAlive: () => true,
    sampling: { budgetPercent: 1, spentPercent: 0.5 },
    host: { memory_total: 1, memory_free: 2, memory_available: 3, page_cache: 4 },
    ...more,
  };
}

test('a worker is described by its row of the scoreboard and its latest sample', () => {
  const report = statusReport(
    input(
      { target: 1, workers: { 101: sampleWorker(101, 0) } },
      { rowOf: () => row(101), sampleOf: () => sample(100 * MIB, 40 * MIB) },
    ),
  );
  expect(report.workers).toEqual([
    {
      pid: 101,
      slot: 0,
      generation: 1,
      state: 'ready',
      replace_because: null,
      age_seconds: 6,
      requests: 10,
      in_flight: 2,
      response_errors: 2,
      memory: { rss: 100 * MIB, pss: 40 * MIB, shared: 90 * MIB, private: 10 * MIB, unshared: 4 * MIB, fresh: 6 * MIB },
      minor_faults: 7,
      major_faults: 1,
      sampled_seconds_ago: 0.5,
      heartbeat_seconds_ago: 1,
      collections: {
        outside_requests: 3,
        outside_requests_seconds: 0.25,
        inside_requests: 1,
        inside_requests_seconds: 0.5,
        objects_freed: 600,
      },
      guard: { held: 4, reported: 5 },
    },
  ]);
});

test("the row of the slot's previous worker is not taken for the new one", () => {
  const report = statusReport(input({ workers: { 102: sampleWorker(102, 0) } }, { rowOf: () => row(101) }));
  expect(report.workers[0]).toMatchObject({ requests: 0, in_flight: 0, heartbeat_seconds_ago: null });
});

test('unknown values are null, and no worker is left out because of them', () => {
  const report = statusReport(input({ workers: { 101: sampleWorker(101, 0, { phase: 'booting' }) } }));
  expect(report.workers[0]).toMatchObject({
    state: 'booting',
    memory: null,
    minor_faults: null,
    sampled_seconds_ago: null,
  });
  expect(report.herd.memory).toEqual({
    pss: 0,
    shared: 0,
    private: 0,
    unshared: 0,
    fresh: 0,
    workers_sampled: 0,
    saved_against_sharing_nothing: 0,
  });
});

test('the herd is the sum of its workers, in the order of their slots, plus the requests of ended ones', () => {
  const report = statusReport(
    input(
      {
        target: 3,
        requestsOfGone: 100,
        workers: {
          101: sampleWorker(101, 1),
          102: sampleWorker(102, 0),
          103: sampleWorker(103, 2, { phase: 'draining' }),
        },
      },
      { rowOf: (pid) => row(pid) },
    ),
  );
  expect(report.workers.map((each) => each.pid)).toEqual([102, 101, 103]);
  expect(report.herd).toMatchObject({
    requests: 130,
    in_flight: 6,
    workers_wanted: 3,
    workers_ready: 2,
    age_seconds: 9,
  });
});

test('memory saved is the total without sharing, less the actual total; the mold counts', () => {
  const mold = sampleMold(1, { pid: 50, policy: 'freeze', startedAtMs: 1000, readyAtMs: 3500 });
  const report = statusReport(
    input(
      { generation: 1, molds: { 1: mold }, workers: { 101: sampleWorker(101, 0), 102: sampleWorker(102, 1) } },
      { sampleOf: () => sample(100 * MIB, 40 * MIB) },
    ),
  );
  expect(report.herd.memory).toMatchObject({
    pss: 120 * MIB,
    unshared: 8 * MIB,
    fresh: 12 * MIB,
    workers_sampled: 2,
    saved_against_sharing_nothing: (300 - 120) * MIB,
  });
  expect(report.herd.policy).toBe('freeze');
  expect(report.molds).toMatchObject([{ generation: 1, pid: 50, policy: 'freeze', ready_after_seconds: 2.5 }]);
});

test('the report is data: it survives JSON', () => {
  const report = statusReport(input({ workers: { 101: sampleWorker(101, 0) } }, { rowOf: () => row(101) }));
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
});

test('it names the predecessor', () => {
  const report = statusReport(input({ predecessor: { keeperPid: 30, protocol: 1, phase: 'serving' } }));
  expect(report.herd.predecessor).toEqual({ keeper: 30, protocol: 1, phase: 'serving' });
});

test('a worker that has ended is not ready, even if a stopped keeper does not report it', () => {
  const keeperPulse = { heardAtMs: 3000, isSilent: true, queues: [{ name: 'http://:80', waiting: 9, most: 10 }] };
  const workers = { 101: sampleWorker(101, 0), 102: sampleWorker(102, 1) };
  const report = statusReport(input({ workers, keeperPulse, announcedReady: true }, { isAlive: (pid) => pid === 102 }));
  expect(report.workers.map(({ state }) => state)).toEqual(['ended', 'ready']);
  expect(report.herd).toMatchObject({
    workers_ready: 1,
    keeper: { silent_seconds: 7 },
    listen_queues: [{ listener: 'http://:80', waiting: 9, most: 10 }],
  });
});
