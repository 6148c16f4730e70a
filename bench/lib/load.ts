/** Load on a server from another process; `load-process.ts` describes it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CHECKOUT } from './places.ts';
import { startProcess } from './processes.ts';

export interface LoadOptions {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
  /** The reasons of failed requests, with counts. */
  readonly failures: Readonly<Record<string, number>>;
  /** CPU time of the load generator itself. */
  readonly cpuSeconds: number;
}

/** Throws if the generator failed, if a request failed, or if none was answered: such a run measures nothing. */
export async function load(options: LoadOptions, scratch: string): Promise<LoadResult> {
  const log = path.join(scratch, `load-${++loads}.json`);
  const { child } = startProcess(
    process.execPath,
    ['--import', 'tsx', path.join(import.meta.dirname, 'load-process.ts'), JSON.stringify(options)],
    { cwd: CHECKOUT, log },
  );
  const status = await new Promise<number | null>((resolve) => {
    child.once('exit', resolve);
  });
  const text = readFileSync(log, 'utf8');
  if (status !== 0) throw new Error(`the load generator failed (${status ?? 'killed'}): ${text}`);
  const result = JSON.parse(text) as LoadResult;
  if (result.requests === 0 || Object.keys(result.failures).length > 0) {
    throw new Error(
      `the server on port ${options.port} answered ${result.requests} requests; failed: ${JSON.stringify(result.failures)}`,
    );
  }
  return result;
}

let loads = 0;
