/** A metric as plain data, whatever format it is told in. */

export type MetricType = 'counter' | 'gauge' | 'histogram';

export type Labels = Readonly<Record<string, string>>;

export interface MetricDefinition {
  /** By Prometheus's conventions: a unit in the plural at the end, `_total` for counters. */
  readonly name: string;
  readonly type: MetricType;
  /** A sentence. */
  readonly help: string;
  readonly labels: readonly string[];
}

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** Only of a histogram: `_bucket`, `_sum` or `_count`. */
  readonly suffix?: string;
}

export interface Metric extends MetricDefinition {
  readonly samples: readonly Sample[];
}
