import { expect, test } from 'vitest';
import { sampleMold, sampleRow, sampleWorker } from '../samples/samples.ts';
import { initialState, type HerdState } from '../herd/state.ts';
import { noDurations, startTallies, type Tallies, withDurations, withProcess } from '../herd/tallies.ts';
import { statusReport } from '../control/status.ts';
import { CATALOGUE } from './catalogue.ts';
import { herdMetrics } from './herd-metrics.ts';
import type { Metric } from './metric.ts';
import { prometheusText } from './prometheus.ts';

const MIB = 2 ** 20;
const NOW_NS = 10_000_000_000n;

function metricsOf(tallies: Tallies = startTallies()): Metric[] {
  const state: HerdState = {
    ...initialState(),
    phase: 'serving',
    generation: 1,
    target: 2,
    molds: { 1: sampleMold(1, { policy: 'immortal', startedAtMs: 1000 }) },
    workers: { 101: sampleWorker(101, 0), 102: sampleWorker(102, 1) },
    keeperPulse: { heardAtMs: 0, isSilent: false, queues: [{ name: 'http://127.0.0.1:8000', waiting: 3, most: 2048 }] },
  };
  const memory = {
    rss: 90 * MIB,
    pss: 30 * MIB,
    shared: 80 * MIB,
    private: 10 * MIB,
    unshared: 4 * MIB,
    fresh: 6 * MIB,
  };
  const rowOf = (pid: number) => (pid === 101 ? sampleRow(101, { busySinceMonotonicNs: NOW_NS - 500_000_000n }) : null);
  const report = statusReport({
    state,
    nowMs: 10_000,
    nowMonotonicNs: NOW_NS,
    startedAtMs: 0,
    folder: '/srv/shop',
    runtimeDirectory: '/run/shop',
    python: 'python3',
    supervisor: { pid: 1, rss: 60 * MIB },
    keeperRss: 12 * MIB,
    sampleOf: (pid) => (pid === 101 ? { memory, minorFaults: 7, majorFaults: 1, sampledAtMs: 9500 } : null),
    rowOf,
    sampling: { budgetPercent: 1, spentPercent: 0.5 },
    host: { memory_total: 8, memory_free: 4, memory_available: 5, page_cache: 2 },
    isAlive: () => true,
  });
  return herdMetrics({
    report,
    tallies,
    rowOf,
    faultsOf: (pid) => (pid === 101 ? { minorFaults: 7, majorFaults: 1 } : null),
    version: '1.2.3',
    workerClass: 'gthread',
    nowMs: 10_000,
    nowUnixSeconds: 1_800_000_000,
    nowMonotonicNs: NOW_NS,
    servingMoldStartedAtMs: 1000,
    pressure: { cpu: { someSeconds: 5, fullSeconds: null }, io: { someSeconds: 2, fullSeconds: 1 } },
    cpu: { model: 'A processor', family: '25' },
  });
}

/** The values of a metric, by its labels. */
function valuesOf(metrics: readonly Metric[], name: string): Record<string, number> {
  const metric = metrics.find((each) => each.name === `cowherd_${name}`);
  return Object.fromEntries(
    (metric?.samples ?? []).map(({ suffix = '', labels, value }) => [
      [suffix, ...Object.values(labels)].join(' ').trim(),
      value,
    ]),
  );
}

test('every metric of the catalogue is there, with its labels and no others', () => {
  const metrics = metricsOf();
  expect(metrics.map(({ name }) => name)).toEqual(Object.values(CATALOGUE).map(({ name }) => name));
  for (const { name, type, labels, samples } of metrics) {
    expect(samples.length, name).toBeGreaterThan(0);
    for (const sample of samples) {
      const expected = sample.suffix === '_bucket' ? [...labels, 'le'] : labels;
      expect(Object.keys(sample.labels), name).toEqual(expected);
      expect(Number.isFinite(sample.value), name).toBe(true);
    }
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
  }
});

test('counters add what the workers of a slot have counted before to the counts of the one that is there', () => {
  const gone = sampleRow(99);
  const tallies = {
    ...startTallies(),
    slots: {
      0: withProcess(undefined, { row: gone, minorFaults: 70, majorFaults: 2 }),
      5: withProcess(undefined, { row: gone, minorFaults: 1, majorFaults: 0 }),
    },
    durations: withDurations(noDurations(), gone),
  };
  const metrics = metricsOf(tallies);
  expect(valuesOf(metrics, 'worker_requests_total')).toEqual({ 0: 20, 5: 10 });
  // 1.5 s of each, and half a second of the request that is being answered.
  expect(valuesOf(metrics, 'worker_busy_seconds_total')).toEqual({ 0: 3.5, 5: 1.5 });
  expect(valuesOf(metrics, 'worker_page_faults_total')).toMatchObject({ '0 minor': 77, '0 major': 3, '5 minor': 1 });
  const duration = valuesOf(metrics, 'request_duration_seconds');
  expect(duration).toMatchObject({ '_bucket 0.005': 16, '_bucket 30': 16, '_bucket +Inf': 20, _sum: 4, _count: 20 });
});

test('gauges of the herd, its workers and its host', () => {
  const metrics = metricsOf();
  expect(valuesOf(metrics, 'workers')).toMatchObject({ ready: 2, draining: 0 });
  expect(valuesOf(metrics, 'workers_busy')).toEqual({ '': 1 });
  expect(valuesOf(metrics, 'listen_queue_connections')).toEqual({ 'http://127.0.0.1:8000': 3 });
  expect(valuesOf(metrics, 'worker_memory_bytes')).toMatchObject({ '0 unshared': 4 * MIB, '0 private': 10 * MIB });
  expect(valuesOf(metrics, 'mold_start_time_seconds')).toEqual({ '': 1_800_000_000 - 9 });
  expect(valuesOf(metrics, 'host_pressure_seconds_total')).toEqual({ 'cpu some': 5, 'io some': 2, 'io full': 1 });
  expect(valuesOf(metrics, 'last_reload_time_seconds')).toEqual({ '': 0 });
});

test('events are counted from zero on, so that the first one is seen as a change', () => {
  const metrics = metricsOf({ ...startTallies(), rollouts: { 'reload done': 2 }, deaths: { SIGSEGV: 1 } });
  expect(valuesOf(metrics, 'rollouts_total')).toEqual({
    'reload done': 2,
    'reload failed': 0,
    'refork done': 0,
    'refork failed': 0,
    'rollback done': 0,
    'rollback failed': 0,
  });
  expect(valuesOf(metrics, 'worker_deaths_total')).toMatchObject({ SIGSEGV: 1, exit: 0, 'out of memory': 0 });
});

test("the text is Prometheus's, whatever a label contains", async () => {
  const [first] = metricsOf();
  const odd = { ...first!, samples: [{ labels: { app: 'a"b\\c\nd' }, value: 1 }] };
  expect(await prometheusText([odd])).toBe(
    `# HELP cowherd_info ${first!.help}\n# TYPE cowherd_info gauge\ncowherd_info{app="a\\"b\\\\c\\nd"} 1\n`,
  );
});
