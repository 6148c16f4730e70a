/** Who steers the collector in workers, as their guards have told; pure. */
import type { WorkerMessage } from '../../agent/messages.ts';

type GuardMessage = Extract<WorkerMessage, { type: 'guard' }>;

/** One place in somebody's code. */
export interface GuardCall {
  function: string;
  package: string;
  file: string;
  line: number;
  held: boolean;
  /** How often a worker's guard has told of it: each does once. */
  workers: number;
}

/** More places are not kept in mind; the log has them all. */
const MOST_CALLS = 32;

/** With one more call; the same place twice is one. */
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

/** What runs the collector, or has it run, and is not held off. */
const RUNS_THE_COLLECTOR: ReadonlySet<string> = new Set(['collect', 'enable', 'set_threshold']);

/** The call that most workers make of those that have the collector run: "gc.collect() of shop (/srv/shop/jobs.py:7)". */
export function collectorCaller(calls: readonly Omit<GuardCall, 'workers'>[]): string | null {
  const call = calls.find(({ function: name, held }) => !held && RUNS_THE_COLLECTOR.has(name));
  return call === undefined ? null : `gc.${call.function}() of ${call.package} (${call.file}:${call.line})`;
}
