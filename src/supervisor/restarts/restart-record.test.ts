import { describe, expect, test } from 'vitest';
import {
  beginRestart,
  noteExit,
  noteHost,
  noteProcess,
  notePss,
  recordOf,
  type HostMemory,
  type ProcessReading,
  type Restart,
  type RestartRecord,
} from './restart-record.ts';

const host = (free: number, available: number, cached: number): HostMemory => ({
  total: 1000,
  free,
  available,
  cached,
});

function reading(pid: number, changes: Partial<ProcessReading> = {}): ProcessReading {
  return {
    pid,
    role: 'worker',
    generation: 1,
    minorFaults: 0,
    majorFaults: 0,
    requestsFinished: 0,
    responseErrors: 0,
    ...changes,
  };
}

function reload(before: HostMemory | null = null, processes: ProcessReading[] = []): Restart {
  return beginRestart(
    {
      kind: 'reload',
      by: 'SIGHUP',
      from: 1,
      to: 2,
      started: '2026-01-31T12:00:00.000Z',
      startedAtMs: 5000,
      workers: 2,
    },
    before,
    processes,
  );
}

function ended(restart: Restart, failure: string | null = null): RestartRecord {
  return recordOf(restart, { endedAtMs: 6234.5678, settledAtMs: 7000, failure });
}

test('the duration, until the new generation served and until the last old worker left', () => {
  expect(ended(reload(), 'APP_IMPORT_FAILED: shop')).toMatchObject({
    kind: 'reload',
    by: 'SIGHUP',
    from: 1,
    to: 2,
    started: '2026-01-31T12:00:00.000Z',
    duration_seconds: 1.235,
    settled_seconds: 2,
    failure: 'APP_IMPORT_FAILED: shop',
    workers: 2,
  });
});

describe('the host', () => {
  test('the lowest of each figure, at any time; the page cache lost since the beginning', () => {
    const restart = reload(host(500, 700, 300));
    noteHost(restart, host(100, 600, 290));
    noteHost(restart, host(400, 200, 350));
    noteHost(restart, null);
    expect(ended(restart).host).toEqual({
      memory_total: 1000,
      memory_free_before: 500,
      memory_free_lowest: 100,
      memory_available_before: 700,
      memory_available_lowest: 200,
      page_cache_before: 300,
      page_cache_lost: 10,
    });
  });

  test('a page cache that only grows has lost nothing', () => {
    const restart = reload(host(500, 700, 300));
    noteHost(restart, host(500, 700, 400));
    expect(ended(restart).host?.page_cache_lost).toBe(0);
  });

  test("null if /proc/meminfo can't be read", () => {
    expect(ended(reload()).host).toBeNull();
  });

  test('the peak of the herd, if it was sampled at all', () => {
    const restart = reload();
    expect(ended(restart).herd_pss_peak).toBeNull();
    for (const pss of [0, 50, 80, 60]) notePss(restart, pss);
    expect(ended(restart).herd_pss_peak).toBe(80);
  });
});

describe('processes', () => {
  test('one that existed before counts from the beginning, one that came later counts completely', () => {
    const restart = reload(null, [reading(10, { minorFaults: 1000, majorFaults: 5, requestsFinished: 70 })]);
    noteProcess(restart, reading(10, { minorFaults: 1200, majorFaults: 5, requestsFinished: 75 }));
    noteProcess(restart, reading(20, { generation: 2, minorFaults: 300, majorFaults: 1, requestsFinished: 3 }));
    const { faults, requests } = ended(restart);
    expect(faults).toEqual({
      minor: 500,
      major: 1,
      processes: [
        { pid: 20, role: 'worker', generation: 2, minor: 300, major: 1 },
        { pid: 10, role: 'worker', generation: 1, minor: 200, major: 0 },
      ],
    });
    expect(requests).toEqual({ answered: 8, errors: 0, cut: 0 });
  });

  test('events during the exit count: faults, exceptions, requests that were cut', () => {
    const restart = reload(null, [reading(10, { minorFaults: 1000, responseErrors: 2 })]);
    noteExit(restart, reading(10, { minorFaults: 90_000, responseErrors: 3 }), 2);
    noteExit(restart, reading(11, { minorFaults: 10 }), 0);
    const { faults, requests } = ended(restart);
    expect(faults.minor).toBe(89_010);
    expect(requests).toEqual({ answered: 0, errors: 1, cut: 2 });
  });

  test('a worker that becomes the mold keeps its requests, and its faults continue', () => {
    const restart = reload(null, [reading(10, { requestsFinished: 7, minorFaults: 100 })]);
    noteProcess(restart, reading(10, { requestsFinished: 9, minorFaults: 120 }));
    noteProcess(restart, reading(10, { role: 'mold', generation: 2, minorFaults: 200 }));
    const { faults, requests } = ended(restart);
    expect(requests.answered).toBe(2);
    expect(faults.processes).toEqual([{ pid: 10, role: 'mold', generation: 2, minor: 100, major: 0 }]);
  });

  test('only those with the most faults are named; the sums include all', () => {
    const restart = reload();
    for (let pid = 1; pid <= 100; pid += 1) noteProcess(restart, reading(pid, { minorFaults: pid }));
    const { faults } = ended(restart);
    expect(faults.minor).toBe(5050);
    expect(faults.processes.map(({ pid }) => pid)).toEqual(Array.from({ length: 20 }, (_, index) => 100 - index));
  });
});
