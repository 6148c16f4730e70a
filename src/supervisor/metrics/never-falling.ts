/**
 * Keeps counters from falling. Prometheus takes a counter that falls for one that began again.
 *
 * The counts of a worker come from different places while it lives and after its end, and for a moment from neither:
 * while the herd of a dead keeper leaves, for example. A worker may also write any number into its row.
 */
import type { Metric, Sample } from './metric.ts';

export class NeverFalling {
  readonly #highest = new Map<string, number>();

  /** The metrics, with each counter at least as high as ever before. */
  of(metrics: readonly Metric[]): Metric[] {
    return metrics.map((metric) =>
      metric.type === 'gauge'
        ? metric
        : { ...metric, samples: metric.samples.map((sample) => this.#raised(metric.name, sample)) },
    );
  }

  #raised(name: string, sample: Sample): Sample {
    const { suffix = '', labels, value } = sample;
    const series = JSON.stringify([name + suffix, ...Object.values(labels)]);
    const highest = Math.max(value, this.#highest.get(series) ?? 0);
    this.#highest.set(series, highest);
    return highest === value ? sample : { ...sample, value: highest };
  }
}
