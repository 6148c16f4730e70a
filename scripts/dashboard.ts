/**
 * Makes the dashboard of examples/monitoring/grafana, with Grafana's own library: `node --import tsx
 * scripts/dashboard.ts`. A test compares the file with what is made, and asks a real Prometheus each query.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { GraphDrawStyle, StackingConfigBuilder, StackingMode } from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

export const DASHBOARD = path.join(import.meta.dirname, '..', 'examples', 'monitoring', 'grafana', 'cowherd.json');

const SOURCE = { type: 'prometheus', uid: '$source' };
/** The herds that the variables choose. */
const HERDS = 'job="$job", instance=~"$instance"';

interface Query {
  /** With HERDS for the labels. */
  readonly expr: string;
  readonly legend: string;
}

interface Panel {
  readonly title: string;
  readonly about: string;
  readonly unit: string;
  readonly queries: readonly Query[];
  readonly stacked?: boolean;
}

const q = (expr: string, legend: string): Query => ({ expr, legend });

function targets(queries: readonly Query[]): DataqueryBuilder[] {
  return queries.map(({ expr, legend }, index) =>
    new DataqueryBuilder()
      .refId('ABCDEF'[index] ?? 'G')
      .expr(expr)
      .legendFormat(legend),
  );
}

function series({ title, about, unit, queries, stacked = false }: Panel): TimeSeriesBuilder {
  const panel = new TimeSeriesBuilder()
    .title(title)
    .description(about)
    .datasource(SOURCE)
    .unit(unit)
    .min(0)
    .span(8)
    .height(8)
    .targets(targets(queries));
  if (!stacked) return panel;
  return panel
    .fillOpacity(40)
    .drawStyle(GraphDrawStyle.Line)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
}

/** @param worst from which value on it is red */
function stat({ title, about, unit, queries }: Panel, worst: { from: number; isLow?: boolean } | null): StatBuilder {
  const [low, high] = worst?.isLow === true ? ['red', 'green'] : ['green', 'red'];
  const steps =
    worst === null
      ? [{ color: 'text', value: null }]
      : [
          { color: low, value: null },
          { color: high, value: worst.from },
        ];
  return new StatBuilder()
    .title(title)
    .description(about)
    .datasource(SOURCE)
    .unit(unit)
    .span(4)
    .height(4)
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps))
    .targets(targets(queries));
}

const rate = (metric: string): string => `rate(cowherd_${metric}{${HERDS}}[$__rate_interval])`;
const quantile = (part: number): string =>
  `histogram_quantile(${part}, sum by (le) (${rate('request_duration_seconds_bucket')}))`;
const memory = (kinds: string): string => `sum(cowherd_worker_memory_bytes{${HERDS}, kind=~"${kinds}"})`;

const OVERVIEW: readonly (readonly [Panel, Parameters<typeof stat>[1]])[] = [
  [
    {
      title: 'Herds ready',
      about: 'Herds that should get traffic, of all that are scraped.',
      unit: 'percentunit',
      queries: [q(`avg(cowherd_ready{${HERDS}})`, '')],
    },
    { from: 1, isLow: true },
  ],
  [
    {
      title: 'Workers missing',
      about: 'Workers that are wanted and not ready.',
      unit: 'none',
      queries: [q(`sum(cowherd_workers_wanted{${HERDS}}) - sum(cowherd_workers{${HERDS}, state="ready"})`, '')],
    },
    { from: 1 },
  ],
  [
    {
      title: 'Workers busy',
      about: 'Workers with a request in flight, of those wanted.',
      unit: 'percentunit',
      queries: [q(`sum(cowherd_workers_busy{${HERDS}}) / sum(cowherd_workers_wanted{${HERDS}})`, '')],
    },
    { from: 0.9 },
  ],
  [
    {
      title: 'Requests',
      about: 'Answered requests per second.',
      unit: 'reqps',
      queries: [q(`sum(${rate('worker_requests_total')})`, '')],
    },
    null,
  ],
  [
    {
      title: 'Memory still shared',
      about: 'Of what the workers shared when they were forked, the part that they still share.',
      unit: 'percentunit',
      queries: [q(`${memory('shared')} / ${memory('shared|unshared')}`, '')],
    },
    { from: 0.6, isLow: true },
  ],
  [
    {
      title: 'Memory saved',
      about: 'What the same processes would take more if they shared nothing.',
      unit: 'bytes',
      queries: [q(`sum(cowherd_herd_saved_bytes{${HERDS}})`, '')],
    },
    null,
  ],
];

const ROWS: Readonly<Record<string, readonly Panel[]>> = {
  Requests: [
    {
      title: 'Requests by instance',
      about: 'Answered requests per second.',
      unit: 'reqps',
      queries: [q(`sum by (instance) (${rate('worker_requests_total')})`, '{{instance}}')],
    },
    {
      title: 'Duration',
      about: 'From the call of the application to the end of its response.',
      unit: 's',
      queries: [q(quantile(0.5), 'median'), q(quantile(0.95), '95%'), q(quantile(0.99), '99%')],
    },
    {
      title: 'Requests that ended in an exception',
      about: 'Per second.',
      unit: 'reqps',
      queries: [q(`sum by (instance) (${rate('worker_response_errors_total')})`, '{{instance}}')],
    },
    {
      title: 'Busy workers',
      about: 'The part of their time in which workers had a request in flight.',
      unit: 'percentunit',
      queries: [q(`avg by (instance) (${rate('worker_busy_seconds_total')})`, '{{instance}}')],
    },
    {
      title: 'Listen queue',
      about: 'Connections that no worker has accepted.',
      unit: 'none',
      queries: [q(`cowherd_listen_queue_connections{${HERDS}}`, '{{instance}} {{listener}}')],
    },
    {
      title: 'Requests in flight',
      about: 'In all workers.',
      unit: 'none',
      queries: [q(`sum by (instance) (cowherd_worker_requests_in_flight{${HERDS}})`, '{{instance}}')],
    },
  ],
  Memory: [
    {
      title: "Workers' memory by kind",
      about:
        'Shared with the mold; unshared: shared at the fork, copied since; fresh: allocated since. Shared memory exists once.',
      unit: 'bytes',
      stacked: true,
      queries: ['shared', 'unshared', 'fresh'].map((kind) => q(memory(kind), kind)),
    },
    {
      title: 'Herd',
      about: 'Proportional set size of molds and workers; resident memory of Cowherd itself.',
      unit: 'bytes',
      queries: [
        q(`sum by (instance) (cowherd_herd_pss_bytes{${HERDS}})`, 'herd {{instance}}'),
        q(`sum by (process) (cowherd_own_rss_bytes{${HERDS}})`, '{{process}}'),
      ],
    },
    {
      title: 'Page faults',
      about: 'Minor faults are also copies of shared pages. Per second, in all workers.',
      unit: 'ops',
      queries: [q(`sum by (kind) (${rate('worker_page_faults_total')})`, '{{kind}}')],
    },
  ],
  Collector: [
    {
      title: 'Garbage collections',
      about: 'Inside and outside of requests. Per second, in all workers.',
      unit: 'ops',
      queries: [q(`sum by (where) (${rate('worker_collections_total')})`, '{{where}}')],
    },
    {
      title: 'Time of collections',
      about: 'Seconds per second, in all workers.',
      unit: 'percentunit',
      queries: [q(`sum by (where) (${rate('worker_collection_seconds_total')})`, '{{where}}')],
    },
    {
      title: 'Calls that steer the collector',
      about: 'Held off by the guard, or only reported. Per second.',
      unit: 'ops',
      queries: [q(`sum by (outcome) (${rate('worker_guard_calls_total')})`, '{{outcome}}')],
    },
  ],
  Life: [
    {
      title: 'Workers by state',
      about: 'Of all herds.',
      unit: 'none',
      stacked: true,
      queries: [q(`sum by (state) (cowherd_workers{${HERDS}})`, '{{state}}')],
    },
    {
      title: 'Rollouts, recycled and dead workers',
      about: 'Within the interval of a point.',
      unit: 'none',
      queries: [
        q(
          `sum by (kind, outcome) (increase(cowherd_rollouts_total{${HERDS}}[$__rate_interval]))`,
          '{{kind}} {{outcome}}',
        ),
        q(`sum by (reason) (increase(cowherd_recycles_total{${HERDS}}[$__rate_interval]))`, 'recycled: {{reason}}'),
        q(`sum by (cause) (increase(cowherd_worker_deaths_total{${HERDS}}[$__rate_interval]))`, 'died: {{cause}}'),
        q(`sum(increase(cowherd_mold_deaths_total{${HERDS}}[$__rate_interval]))`, 'mold died'),
      ],
    },
    {
      title: 'Age',
      about: 'Of the serving mold, and of the supervisor.',
      unit: 's',
      queries: [
        q(`time() - cowherd_mold_start_time_seconds{${HERDS}}`, 'mold {{instance}}'),
        q(`time() - cowherd_start_time_seconds{${HERDS}}`, 'supervisor {{instance}}'),
      ],
    },
  ],
  Host: [
    {
      title: 'Memory of the host',
      about: 'Available memory and page cache.',
      unit: 'bytes',
      queries: [q(`cowherd_host_memory_bytes{${HERDS}, kind=~"available|page_cache"}`, '{{instance}} {{kind}}')],
    },
    {
      title: 'Pressure',
      about: 'The part of the time in which some tasks of the host waited for a resource.',
      unit: 'percentunit',
      queries: [
        q(
          `rate(cowherd_host_pressure_seconds_total{${HERDS}, share="some"}[$__rate_interval])`,
          '{{instance}} {{resource}}',
        ),
      ],
    },
    {
      title: 'Cost of sampling',
      about: 'Share of one core that reading memory has cost.',
      unit: 'percentunit',
      queries: [q(`cowherd_sampling_core_ratio{${HERDS}}`, '{{instance}}')],
    },
  ],
};

/** The file's text. */
export function dashboard(): string {
  const chosen = (name: string, label: string, query: string): QueryVariableBuilder =>
    new QueryVariableBuilder(name).label(label).datasource(SOURCE).query(query).sort(VariableSort.AlphabeticalAsc);
  const built = new DashboardBuilder('Cowherd')
    .uid('cowherd')
    .description('Herds of the Cowherd server: docs/monitoring.md')
    .tags(['cowherd', 'python'])
    .editable()
    .refresh('30s')
    .time({ from: 'now-3h', to: 'now' })
    .timezone('browser')
    .withVariable(new DatasourceVariableBuilder('source').label('Source').type('prometheus'))
    .withVariable(chosen('job', 'Job', 'label_values(cowherd_info, job)'))
    .withVariable(
      chosen('instance', 'Instance', 'label_values(cowherd_info{job="$job"}, instance)').multi(true).includeAll(true),
    );
  for (const [panel, worst] of OVERVIEW) built.withPanel(stat(panel, worst));
  for (const [title, panels] of Object.entries(ROWS)) {
    built.withRow(new RowBuilder(title));
    for (const panel of panels) built.withPanel(series(panel));
  }
  return `${JSON.stringify(built.build(), null, 2)}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync(DASHBOARD, dashboard());
