/** The metrics endpoint of a running herd. Its modules are loaded only if a setting asks for it. */
import type { Settings } from '../agent/messages.ts';
import type { ScoreboardRow } from '../agent/scoreboard.ts';
import { monotonicClock } from '../base/clock.ts';
import { installedVersion } from '../base/installation.ts';
import type { Log } from '../base/log.ts';
import { readCpuInfo } from '../procfs/cpuinfo.ts';
import { readPressure, RESOURCES } from '../procfs/pressure.ts';
import { readStat } from '../procfs/stat.ts';
import type { StatusReport } from './control/status.ts';
import type { HerdState } from './herd/state.ts';
import type { MetricsEndpoint } from './metrics/endpoint.ts';
import type { MetricsInput } from './metrics/herd-metrics.ts';
import type { Metric } from './metrics/metric.ts';

export interface HerdSource {
  report(): StatusReport;
  state(): HerdState;
  rowOf(pid: number): ScoreboardRow | null;
}

export class HerdEndpoint {
  readonly #source: HerdSource;
  readonly #log: Log;
  #endpoint: MetricsEndpoint | null = null;
  #isClosed = false;
  /** The latest settings are used last, however long a module takes to load. */
  #used: Promise<void> = Promise.resolve();

  constructor(source: HerdSource, log: Log) {
    this.#source = source;
    this.#log = log;
  }

  use(settings: Settings): void {
    if (settings.metrics === null && this.#endpoint === null) return;
    this.#used = this.#used
      .then(async () => await this.#use(settings))
      .catch((error: unknown) => this.#log.error(`Metrics are not served: ${String(error)}`));
  }

  close(): void {
    this.#isClosed = true;
    this.#endpoint?.close();
  }

  async #use(settings: Settings): Promise<void> {
    if (this.#endpoint === null) {
      const [{ MetricsEndpoint: Endpoint }, { herdMetrics }, { NeverFalling }] = await Promise.all([
        import('./metrics/endpoint.ts'),
        import('./metrics/herd-metrics.ts'),
        import('./metrics/never-falling.ts'),
      ]);
      const values = gatherer(this.#source, herdMetrics);
      const counters = new NeverFalling();
      const gather = (): Metric[] => counters.of(values());
      this.#endpoint = new Endpoint(gather, this.#log);
    }
    if (!this.#isClosed) await this.#endpoint.use(settings);
  }
}

type HerdMetrics = (input: MetricsInput) => Metric[];

function gatherer(source: HerdSource, herdMetrics: HerdMetrics): () => Metric[] {
  const cpu = readCpuInfo();
  const version = installedVersion();
  return () => {
    const { tallies, molds, generation, settings } = source.state();
    return herdMetrics({
      report: source.report(),
      tallies,
      rowOf: (pid) => source.rowOf(pid),
      faultsOf: readStat,
      version,
      workerClass: settings?.worker_class ?? '',
      nowMs: monotonicClock.now(),
      nowUnixSeconds: Date.now() / 1000,
      nowMonotonicNs: monotonicClock.nowNs(),
      servingMoldStartedAtMs: molds[generation]?.startedAtMs ?? null,
      pressure: Object.fromEntries(
        RESOURCES.flatMap((resource) => {
          const pressure = readPressure(resource);
          return pressure === null ? [] : [[resource, pressure]];
        }),
      ),
      cpu,
    });
  };
}
