/** Prometheus's text format, written by its client library. */
import { type Metric as ClientMetric, Registry } from 'prom-client';
import type { Metric } from './metric.ts';

export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** What the library's registry asks of a metric (prom-client, lib/registry.js, getMetricsAsString). */
interface Told {
  readonly name: string;
  get(): Promise<{
    readonly name: string;
    readonly help: string;
    readonly type: string;
    readonly values: readonly { metricName: string; labels: Metric['samples'][number]['labels']; value: number }[];
  }>;
}

/** A metric whose values are known: the library's own counters can only be counted up. */
function told({ name, help, type, samples }: Metric): Told {
  const values = samples.map(({ labels, value, suffix = '' }) => ({ metricName: `${name}${suffix}`, labels, value }));
  return { name, get: async () => ({ name, help, type, values }) };
}

export async function prometheusText(metrics: readonly Metric[]): Promise<string> {
  const registry = new Registry();
  for (const metric of metrics) registry.registerMetric(told(metric) as unknown as ClientMetric);
  return await registry.metrics();
}
