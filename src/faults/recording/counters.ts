/**
 * Hardware counters of running processes from `perf stat`: instructions per cycle, and misses of the last-level cache.
 * Caches hold copied pages several times.
 *
 * With `-x` the output has one line per event: value, unit, event, run time, percent of the run time that the event was
 * counted, and more. Source: perf-stat(1), CSV FORMAT.
 */
import { spawn } from 'node:child_process';
import type { Seconds } from '../../base/units.ts';
import { plainEnvironment } from './perf-process.ts';

export interface Counters {
  /** Null if the machine does not count it. */
  readonly instructions: number | null;
  readonly cycles: number | null;
  readonly cache_loads: number | null;
  readonly cache_misses: number | null;
  readonly instructions_per_cycle: number | null;
  /** Misses in percent of the loads that reached the last-level cache. */
  readonly cache_miss_percent: number | null;
}

export const NO_COUNTERS =
  'This machine has no hardware counters that can be read, as most virtual machines: instructions per cycle and cache misses cannot be counted here.';

const EVENTS = ['instructions', 'cycles', 'LLC-loads', 'LLC-load-misses'] as const;
const SEPARATOR = ';';
/** perf-stat(1), --timeout. */
const SHORTEST_MS = 10;

/** Skips lines that are not a counter's. A counter without a number is null. */
export function parseCounters(text: string): Counters {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [value = '', , event = ''] = line.split(SEPARATOR);
    // The name is `instructions:u` if only user mode may be counted.
    if (/^\d+(\.\d+)?$/.test(value)) values.set(event.replace(/:[ukh]+$/, ''), Number(value));
  }
  const [instructions, cycles, loads, misses] = EVENTS.map((event) => values.get(event) ?? null);
  return {
    instructions: instructions ?? null,
    cycles: cycles ?? null,
    cache_loads: loads ?? null,
    cache_misses: misses ?? null,
    instructions_per_cycle: ratio(instructions, cycles),
    cache_miss_percent: percent(ratio(misses, loads)),
  };
}

function ratio(part: number | null | undefined, whole: number | null | undefined): number | null {
  return part === null || part === undefined || whole === null || whole === undefined || whole === 0
    ? null
    : part / whole;
}

function percent(value: number | null): number | null {
  return value === null ? null : value * 100;
}

export function hasNone({ instructions, cycles, cache_loads, cache_misses }: Counters): boolean {
  return [instructions, cycles, cache_loads, cache_misses].every((value) => value === null);
}

/** Counts until the time is over or `stop` aborts. A counter that fails for any reason is null. */
export async function count(processes: readonly number[], time: Seconds, stop: AbortSignal): Promise<Counters> {
  const events = ['-x', SEPARATOR, '-e', EVENTS.join(',')];
  const timeout = String(Math.max(SHORTEST_MS, Math.round(time * 1000)));
  const child = spawn('perf', ['stat', ...events, '-p', processes.join(','), '--timeout', timeout], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    env: plainEnvironment(),
  });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const end = (): boolean => child.kill('SIGINT');
  stop.addEventListener('abort', end, { once: true });
  if (stop.aborted) end();
  await new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  stop.removeEventListener('abort', end);
  return parseCounters(text);
}
