/** How a process ended, in words, and the counters that it left. */
import { constants } from 'node:os';
import type { Inventory } from '../../agent/messages.ts';
import { rowOfWords } from '../../agent/scoreboard.ts';
import type { ExitCounters } from './events.ts';
import type { Ending } from './state.ts';

// Some numbers have two names (SIGABRT, SIGIOT); the first one is the usual name.
const SIGNAL_NAMES = new Map(
  Object.entries(constants.signals)
    .toReversed()
    .map(([name, number]) => [number, name]),
);

/** The name of a signal number, such as SIGKILL. */
export function signalName(signal: number): string {
  return SIGNAL_NAMES.get(signal) ?? `signal ${signal}`;
}

/** Completes a sentence that begins with a process: "exited with status 1". */
export function describeEnding(ending: Ending): string {
  if (ending.signal !== null) {
    const wasKilled = ending.signal === constants.signals.SIGKILL;
    if (wasKilled && ending.outOfMemory === true) return 'was killed by the kernel: out of memory (SIGKILL)';
    const hint = wasKilled && ending.outOfMemory !== false ? ' (perhaps out of memory)' : '';
    return `was ended by ${signalName(ending.signal)}${hint}`;
  }
  return `exited with status ${ending.exitStatus ?? '?'}`;
}

type Told = NonNullable<Inventory['endings'][number]['counters']>;

/** A dead worker's counters, as the keeper reports them. */
export function exitCounters(told: Told): ExitCounters {
  return {
    requestsStarted: told.requests_started,
    requestsFinished: told.requests_finished,
    responseErrors: told.response_errors,
    ...(told.row === undefined ? {} : { row: rowOfWords(told.row) }),
  };
}
