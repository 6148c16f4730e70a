/**
 * Every metric that there is. docs/metrics.md is made from this table, and a test compares it with what is exported.
 *
 * Labels are bounded: slots, states, kinds, listeners. None has a pid, a path of a request or an id.
 */
import type { MetricDefinition, MetricType } from './metric.ts';

const define = (type: MetricType, name: string, help: string, ...labels: string[]): MetricDefinition => ({
  name: `cowherd_${name}`,
  type,
  help,
  labels,
});

export const CATALOGUE = {
  // The herd.
  info: define('gauge', 'info', 'Always 1; the labels describe the herd.', 'version', 'app', 'worker_class', 'policy'),
  ready: define('gauge', 'ready', '1 if the herd should get traffic, else 0.'),
  generation: define('gauge', 'generation', 'The serving generation; a reload and a refork raise it.'),
  startTime: define('gauge', 'start_time_seconds', 'When the supervisor began, in Unix time.'),
  workers: define('gauge', 'workers', 'Workers by state.', 'state'),
  workersWanted: define('gauge', 'workers_wanted', 'How many workers the herd should have.'),
  workersBusy: define('gauge', 'workers_busy', 'Workers with a request in flight.'),
  queueWaiting: define('gauge', 'listen_queue_connections', 'Connections that no worker has accepted.', 'listener'),
  queueMost: define('gauge', 'listen_queue_limit_connections', 'Connections that may wait.', 'listener'),
  herdPss: define('gauge', 'herd_pss_bytes', 'Proportional set size of the molds and the sampled workers.'),
  herdSaved: define(
    'gauge',
    'herd_saved_bytes',
    'Memory that the same processes would take more if they shared nothing.',
  ),
  ownRss: define('gauge', 'own_rss_bytes', "Resident memory of Cowherd's own processes.", 'process'),
  samplingCore: define(
    'gauge',
    'sampling_core_ratio',
    'Share of one core that reading memory has cost, over a minute.',
  ),
  rollouts: define('counter', 'rollouts_total', 'Reloads, reforks and rollbacks that have ended.', 'kind', 'outcome'),
  lastReload: define('gauge', 'last_reload_time_seconds', 'When the last reload was done, in Unix time; 0 if never.'),
  recycles: define('counter', 'recycles_total', 'Workers that a limit has replaced.', 'reason'),
  deaths: define('counter', 'worker_deaths_total', 'Workers that ended without being told to.', 'cause'),
  moldDeaths: define('counter', 'mold_deaths_total', 'Molds that died after they had been ready.'),
  moldAge: define('gauge', 'mold_start_time_seconds', 'When the serving mold was started, in Unix time.'),

  // Requests.
  duration: define(
    'histogram',
    'request_duration_seconds',
    'Time from the call of the application to the end of its response.',
  ),

  // Each worker, by slot.
  memory: define(
    'gauge',
    'worker_memory_bytes',
    'Memory of a worker by kind: shared, unshared (shared at the fork, copied since), fresh (allocated since) and private (unshared and fresh).',
    'slot',
    'kind',
  ),
  pss: define('gauge', 'worker_pss_bytes', 'Proportional set size of a worker.', 'slot'),
  rss: define('gauge', 'worker_rss_bytes', 'Resident memory of a worker.', 'slot'),
  workerGeneration: define('gauge', 'worker_generation', 'The generation of a worker.', 'slot'),
  inFlight: define('gauge', 'worker_requests_in_flight', 'Requests that a worker is answering.', 'slot'),
  requests: define('counter', 'worker_requests_total', 'Requests that the workers of a slot have answered.', 'slot'),
  errors: define('counter', 'worker_response_errors_total', 'Requests that ended in an exception.', 'slot'),
  busy: define('counter', 'worker_busy_seconds_total', 'Time in which a worker had a request in flight.', 'slot'),
  faults: define(
    'counter',
    'worker_page_faults_total',
    'Page faults by kind: minor (also copies of shared pages) and major (read from disk).',
    'slot',
    'kind',
  ),
  collections: define(
    'counter',
    'worker_collections_total',
    'Garbage collections inside and outside of requests.',
    'slot',
    'where',
  ),
  collectionSeconds: define(
    'counter',
    'worker_collection_seconds_total',
    'Time of garbage collections inside and outside of requests.',
    'slot',
    'where',
  ),
  guardCalls: define(
    'counter',
    'worker_guard_calls_total',
    "Calls that steer Python's garbage collector: held off, or only reported.",
    'slot',
    'outcome',
  ),

  // The host.
  hostMemory: define(
    'gauge',
    'host_memory_bytes',
    'Memory of the host: total, free, available and page_cache.',
    'kind',
  ),
  hostPressure: define(
    'counter',
    'host_pressure_seconds_total',
    'Time in which some or all tasks of the host waited for a resource.',
    'resource',
    'share',
  ),
  hostInfo: define('gauge', 'host_info', 'Always 1; the labels describe the processor.', 'cpu_model', 'cpu_family'),
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricKey = keyof typeof CATALOGUE;
