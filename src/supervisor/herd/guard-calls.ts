/** Who controls the garbage collector in workers, as reported by their guards; pure. */
import type { WorkerMessage } from '../../agent/messages.ts';

type GuardMessage = Extract<WorkerMessage, { type: 'guard' }>;

/** One call site in somebody's code. */
export interface GuardCall {
  readonly function: string;
  readonly package: string;
  readonly file: string;
  readonly line: number;
  readonly held: boolean;
  /** How many workers' guards have reported the call; each guard does so once. */
  readonly workers: number;
}

/** The most call sites to remember; the log has them all. */
const MOST_CALLS = 32;

/** Adds a call; a known call site is counted, not repeated. */
export function withCall(calls: readonly GuardCall[], message: GuardMessage): GuardCall[] {
  const { function: name, package: from, file, line, held } = message;
  const isSame = (call: GuardCall): boolean =>
    call.function === name && call.file === file && call.line === line && call.held === held;
  if (calls.some(isSame)) {
    return calls.map((call) => (isSame(call) ? Object.assign({}, call, { workers: call.workers + 1 }) : call));
  }
  if (calls.length >= MOST_CALLS) return [...calls];
  return [...calls, { function: name, package: from, file, line, held, workers: 1 }];
}

/** Functions that run the collector or let it run. */
const RUNS_THE_COLLECTOR: ReadonlySet<string> = new Set(['collect', 'enable', 'set_threshold']);

/**
 * The first recorded call that makes the collector run and was not held off: "gc.collect() of shop
 * (/srv/shop/jobs.py:7)".
 */
export function collectorCaller(calls: readonly Omit<GuardCall, 'workers'>[]): string | null {
  const call = calls.find(({ function: name, held }) => !held && RUNS_THE_COLLECTOR.has(name));
  return call === undefined ? null : `gc.${call.function}() of ${call.package} (${call.file}:${call.line})`;
}
