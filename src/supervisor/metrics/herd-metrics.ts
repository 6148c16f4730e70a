/** The values of all metrics at one moment. Pure. */
import { DURATION_BOUNDS_SECONDS, type ScoreboardRow } from '../../agent/scoreboard.ts';
import type { CpuInfo } from '../../procfs/cpuinfo.ts';
import type { Pressure, Resource } from '../../procfs/pressure.ts';
import type { StatusReport, WorkerReport } from '../control/status.ts';
import { type Tallies, withDurations, withProcess, type SlotTotals } from '../herd/tallies.ts';
import { CATALOGUE, type MetricKey } from './catalogue.ts';
import type { Labels, Metric, Sample } from './metric.ts';

export interface MetricsInput {
  readonly report: StatusReport;
  readonly tallies: Tallies;
  readonly rowOf: (pid: number) => ScoreboardRow | null;
  /** Page faults of a process up to now; null if it has ended. */
  readonly faultsOf: (pid: number) => { readonly minorFaults: number; readonly majorFaults: number } | null;
  readonly version: string;
  readonly workerClass: string;
  /** The clock of the state, and the time of day. */
  readonly nowMs: number;
  readonly nowUnixSeconds: number;
  readonly nowMonotonicNs: bigint;
  readonly servingMoldStartedAtMs: number | null;
  readonly pressure: Readonly<Partial<Record<Resource, Pressure>>>;
  readonly cpu: CpuInfo;
}

type Values = Readonly<Record<MetricKey, readonly Sample[]>>;

/** Every metric of the catalogue, in its order. */
export function herdMetrics(input: MetricsInput): Metric[] {
  const values: Values = { ...herdValues(input), ...eventValues(input), ...workerValues(input), ...hostValues(input) };
  return (Object.keys(CATALOGUE) as MetricKey[]).map((key) => {
    const { name, type, help, labels } = CATALOGUE[key];
    return { name, type, help, labels, samples: values[key] };
  });
}

const one = (value: number, labels: Labels = {}): readonly Sample[] => [{ labels, value }];

const by = (label: string, values: Readonly<Record<string, number>>): Sample[] =>
  Object.entries(values).map(([key, value]) => ({ labels: { [label]: key }, value }));

function herdValues({ report, version, workerClass, nowUnixSeconds }: MetricsInput) {
  const { herd, workers } = report;
  const states = { booting: 0, ready: 0, draining: 0, aborted: 0, retiring: 0, ended: 0 };
  for (const { state } of workers) states[state] += 1;
  return {
    info: one(1, { version, app: herd.app ?? '', worker_class: workerClass, policy: herd.policy ?? '' }),
    ready: one(herd.not_ready_because === null ? 1 : 0),
    generation: one(herd.generation),
    startTime: one(nowUnixSeconds - herd.age_seconds),
    workers: by('state', states),
    workersWanted: one(herd.workers_wanted),
    workersBusy: one(workers.filter(({ in_flight }) => in_flight > 0).length),
    queueWaiting: herd.listen_queues.map(({ listener, waiting }) => ({ labels: { listener }, value: waiting })),
    queueMost: herd.listen_queues.map(({ listener, most }) => ({ labels: { listener }, value: most })),
    herdPss: one(herd.memory.pss),
    herdSaved: one(herd.memory.saved_against_sharing_nothing),
    ownRss: by('process', { supervisor: herd.supervisor.rss, keeper: herd.keeper.rss ?? 0 }),
    samplingCore: one(herd.sampling.spent_percent / 100),
  };
}

const ROLLOUTS = ['reload', 'refork', 'rollback'] as const;
const OUTCOMES = ['done', 'failed'] as const;

function eventValues({ report, tallies, nowMs, nowUnixSeconds, servingMoldStartedAtMs }: MetricsInput) {
  const unixTime = (atMs: number | null): number => (atMs === null ? 0 : nowUnixSeconds - (nowMs - atMs) / 1000);
  return {
    // Present from the start, since the rate of a series that begins with 1 is 0.
    rollouts: ROLLOUTS.flatMap((kind) =>
      OUTCOMES.map((outcome) => ({ labels: { kind, outcome }, value: tallies.rollouts[`${kind} ${outcome}`] ?? 0 })),
    ),
    lastReload: one(unixTime(tallies.lastReloadAtMs)),
    recycles: by('reason', report.herd.recycling.counts),
    deaths: by('cause', { exit: 0, timeout: 0, 'out of memory': 0, ...tallies.deaths }),
    moldDeaths: one(tallies.moldDeaths),
    moldAge: one(unixTime(servingMoldStartedAtMs)),
  };
}

function workerValues(input: MetricsInput) {
  const { report, tallies, rowOf } = input;
  const rows = report.workers.map((worker) => ({ worker, row: rowOf(worker.pid) }));
  const durations = rows.reduce((sum, { row }) => (row === null ? sum : withDurations(sum, row)), tallies.durations);
  const slots = slotTotals(input, rows);
  const counted = (of: (totals: SlotTotals) => number): Sample[] =>
    slots.map(([slot, totals]) => ({ labels: { slot }, value: of(totals) }));
  const divided = (label: string, parts: Readonly<Record<string, (totals: SlotTotals) => number>>): Sample[] =>
    slots.flatMap(([slot, totals]) =>
      Object.entries(parts).map(([part, of]) => ({ labels: { slot, [label]: part }, value: of(totals) })),
    );
  return {
    duration: histogram(durations.buckets, durations.seconds),
    ...memoryValues(report.workers),
    workerGeneration: report.workers.map((worker) => ({ labels: slotOf(worker), value: worker.generation })),
    inFlight: report.workers.map((worker) => ({ labels: slotOf(worker), value: worker.in_flight })),
    requests: counted(({ requests }) => requests),
    errors: counted(({ responseErrors }) => responseErrors),
    busy: counted(({ busySeconds }) => busySeconds),
    faults: divided('kind', { minor: (slot) => slot.minorFaults, major: (slot) => slot.majorFaults }),
    collections: divided('where', {
      inside: (slot) => slot.collectionsInside,
      outside: (slot) => slot.collectionsOutside,
    }),
    collectionSeconds: divided('where', {
      inside: (slot) => slot.collectionsInsideSeconds,
      outside: (slot) => slot.collectionsOutsideSeconds,
    }),
    guardCalls: divided('outcome', { held: (slot) => slot.guardHeld, reported: (slot) => slot.guardReported }),
  };
}

function memoryValues(workers: readonly WorkerReport[]) {
  const sampled = workers.flatMap((worker) => (worker.memory === null ? [] : [{ worker, memory: worker.memory }]));
  const KINDS = ['shared', 'unshared', 'fresh', 'private'] as const;
  return {
    memory: sampled.flatMap(({ worker, memory }) =>
      KINDS.map((kind) => ({ labels: { ...slotOf(worker), kind }, value: memory[kind] })),
    ),
    pss: sampled.map(({ worker, memory }) => ({ labels: slotOf(worker), value: memory.pss })),
    rss: sampled.map(({ worker, memory }) => ({ labels: slotOf(worker), value: memory.rss })),
  };
}

function slotOf({ slot }: WorkerReport): { slot: string } {
  return { slot: String(slot) };
}

const NO_FAULTS = { minorFaults: 0, majorFaults: 0 };

/** What the workers of each slot have counted, those that are there included. */
function slotTotals(
  { tallies, nowMonotonicNs, faultsOf }: MetricsInput,
  rows: readonly { worker: WorkerReport; row: ScoreboardRow | null }[],
): [slot: string, SlotTotals][] {
  const slots = new Map(Object.entries(tallies.slots));
  for (const { worker, row } of rows) {
    if (row === null) continue;
    const { busySinceMonotonicNs, busySeconds } = row;
    // The request that is being answered counts up to now.
    const since = busySinceMonotonicNs === 0n ? 0 : Math.max(0, Number(nowMonotonicNs - busySinceMonotonicNs) / 1e9);
    const totals = withProcess(slots.get(String(worker.slot)), {
      row: { ...row, busySeconds: busySeconds + since },
      ...(faultsOf(worker.pid) ?? NO_FAULTS),
    });
    slots.set(String(worker.slot), totals);
  }
  return [...slots].sort(([a], [b]) => Number(a) - Number(b));
}

/** Buckets add up in Prometheus: each counts all shorter requests too. */
function histogram(buckets: readonly number[], seconds: number): Sample[] {
  let below = 0;
  const samples: Sample[] = buckets.map((count, bucket) => {
    below += count;
    const bound = DURATION_BOUNDS_SECONDS[bucket];
    return { suffix: '_bucket', labels: { le: bound === undefined ? '+Inf' : String(bound) }, value: below };
  });
  return [...samples, { suffix: '_sum', labels: {}, value: seconds }, { suffix: '_count', labels: {}, value: below }];
}

function hostValues({ report, pressure, cpu }: MetricsInput) {
  const { memory_total, memory_free, memory_available, page_cache } = report.herd.host;
  return {
    hostMemory: by('kind', {
      total: memory_total,
      free: memory_free,
      available: memory_available,
      page_cache,
    }),
    hostPressure: Object.entries(pressure).flatMap(([resource, { someSeconds, fullSeconds }]) => {
      const some = { labels: { resource, share: 'some' }, value: someSeconds };
      return fullSeconds === null ? [some] : [some, { labels: { resource, share: 'full' }, value: fullSeconds }];
    }),
    hostInfo: one(1, { cpu_model: cpu.model, cpu_family: cpu.family }),
  };
}
