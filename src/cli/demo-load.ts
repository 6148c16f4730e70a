/** Real HTTP load for the demo, by autocannon, to a loopback address. */
import autocannon from 'autocannon';
import { build } from 'hdr-histogram-js';

export interface LoadFigures {
  requests: number;
  errors: number;
  requestsPerSecond: number;
  latencyMs: { p50: number; p99: number; worst: number };
}

export interface Load {
  figures(): LoadFigures;
  stop(): void;
}

const CONNECTIONS = 6;

/** Far longer than anybody looks at a demo; `stop()` ends it before. */
const LONGEST_SECONDS = 24 * 3600;

/** Starts the load; it goes on until it is stopped. */
export async function startLoad(url: string): Promise<Load> {
  const startedAt = performance.now();
  // In microseconds, since the histogram counts whole numbers.
  const latenciesUs = build({ numberOfSignificantValueDigits: 3 });
  let requests = 0;
  let errors = 0;
  const instance = autocannon({ url, connections: CONNECTIONS, duration: LONGEST_SECONDS }, () => {
    // Its own summary is not needed: figures() has the running one.
  });
  instance.on('response', (_client, statusCode, _bytes, responseTimeMs) => {
    requests += 1;
    if (statusCode >= 400) errors += 1;
    latenciesUs.recordValue(Math.round(responseTimeMs * 1000));
  });
  instance.on('reqError', () => {
    errors += 1;
  });
  return {
    figures() {
      const at = (percentile: number): number =>
        requests === 0 ? 0 : latenciesUs.getValueAtPercentile(percentile) / 1000;
      return {
        requests,
        errors,
        requestsPerSecond: requests / ((performance.now() - startedAt) / 1000),
        latencyMs: { p50: at(50), p99: at(99), worst: at(100) },
      };
    },
    stop() {
      instance.stop();
    },
  };
}
