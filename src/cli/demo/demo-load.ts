/**
 * Real HTTP load for the demo, to a loopback address.
 *
 * Uses no library: sync workers close the connection after each response, and the common load generators then write the
 * next request to the closing connection and measure its latency wrong.
 */
import http from 'node:http';
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

/** A failed connection is not retried at once. */
const PAUSE_AFTER_ERROR_MS = 100;

/** Starts the load: each connection sends a request after the response to its last one, until stopped. */
export function startLoad(url: string): Load {
  const startedAt = performance.now();
  // In microseconds, since the histogram takes only integers.
  const latenciesUs = build({ numberOfSignificantValueDigits: 3 });
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let requests = 0;
  let errors = 0;
  let stopped = false;

  const next = (): void => {
    if (stopped) return;
    const sentAt = performance.now();
    let settled = false;
    const fail = (): void => {
      if (settled) return;
      settled = true;
      if (stopped) return;
      errors += 1;
      setTimeout(next, PAUSE_AFTER_ERROR_MS).unref();
    };
    const request = http.get(url, { agent }, (response) => {
      response.resume();
      response.once('error', fail);
      response.once('end', () => {
        if (settled) return;
        settled = true;
        requests += 1;
        if ((response.statusCode ?? 0) >= 400) errors += 1;
        latenciesUs.recordValue(Math.round((performance.now() - sentAt) * 1000));
        next();
      });
    });
    request.once('error', fail);
  };
  for (let connection = 0; connection < CONNECTIONS; connection += 1) next();

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
      stopped = true;
      agent.destroy();
    },
  };
}
