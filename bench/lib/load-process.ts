/**
 * The load generator, in a separate process: `node --import tsx load-process.ts '{"port": …}'`.
 *
 * A closed loop: each connection sends its next request as soon as it has its answer. After the given time each one
 * waits for its last answer, which still counts, so that no slow answer is left out. Prints a LoadResult as JSON.
 */
import { monotonicClock } from '../../src/base/clock.ts';
import { get } from './http.ts';
import type { LoadOptions, LoadResult } from './load.ts';
import { percentile } from './statistics.ts';

const options = JSON.parse(process.argv[2] ?? '') as LoadOptions;
const latenciesMs: number[] = [];
const failures = new Map<string, number>();

async function visit(untilMs: number): Promise<void> {
  while (monotonicClock.now() < untilMs) {
    const started = monotonicClock.now();
    try {
      const answer = await get(options.port, options.path);
      if (answer.status === 200) latenciesMs.push(monotonicClock.now() - started);
      else failed(`status ${answer.status}`);
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error));
    }
  }
}

function failed(reason: string): void {
  failures.set(reason, (failures.get(reason) ?? 0) + 1);
}

const started = monotonicClock.now();
const until = started + options.seconds * 1000;
await Promise.all(Array.from({ length: options.connections }, () => visit(until)));
const seconds = (monotonicClock.now() - started) / 1000;
const cpu = process.cpuUsage();
const result: LoadResult = {
  requests: latenciesMs.length,
  seconds,
  requestsPerSecond: latenciesMs.length / seconds,
  p50Ms: latenciesMs.length === 0 ? 0 : percentile(latenciesMs, 0.5),
  p99Ms: latenciesMs.length === 0 ? 0 : percentile(latenciesMs, 0.99),
  worstMs: latenciesMs.length === 0 ? 0 : percentile(latenciesMs, 1),
  failures: Object.fromEntries(failures),
  cpuSeconds: (cpu.user + cpu.system) / 1e6,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
