/** The result of a case under a server, and the sum over all cases. Pure. */
import type { ServerName } from './commands.ts';
import type { LoggedWarning } from '../../lib/server-log.ts';
import type { Tally } from './tally.ts';

export interface Trial {
  readonly requests: number;
  /** Requests without the right answer. */
  readonly failed: number;
  readonly failures: readonly string[];
  readonly tally: Tally;
  readonly reloaded: boolean;
  readonly reforked: boolean;
  readonly warnings: readonly LoggedWarning[];
  /** The first lines that the application and its libraries have printed. */
  readonly printed: readonly string[];
  /** Other failures, such as a reload that failed or a stop that took too long. */
  readonly problems: readonly string[];
}

export interface CaseResult {
  readonly name: string;
  readonly title: string;
  readonly counted: string;
  /** Trials by server, for the chosen servers. */
  readonly trials: Readonly<Partial<Record<ServerName, Trial>>>;
}

/** The sum over Cowherd's trials. */
export interface Sum {
  readonly cases: number;
  readonly requests: number;
  readonly failed: number;
  readonly sent: number;
  readonly delivered: number;
  readonly lost: number;
  readonly doubled: number;
  readonly warnings: number;
  readonly reloads: number;
  readonly reforks: number;
  readonly problems: number;
}

export const NOT_SERVED: Omit<Trial, 'problems'> = {
  requests: 0,
  failed: 0,
  failures: [],
  tally: { sent: 0, delivered: 0, lost: 0, doubled: 0 },
  reloaded: false,
  reforked: false,
  warnings: [],
  printed: [],
};

export function sumOf(trials: readonly Trial[]): Sum {
  const add = (of: (trial: Trial) => number): number => trials.reduce((sum, trial) => sum + of(trial), 0);
  return {
    cases: trials.length,
    requests: add((trial) => trial.requests),
    failed: add((trial) => trial.failed),
    sent: add((trial) => trial.tally.sent),
    delivered: add((trial) => trial.tally.delivered),
    lost: add((trial) => trial.tally.lost),
    doubled: add((trial) => trial.tally.doubled),
    warnings: add(warningsOf),
    reloads: add((trial) => Number(trial.reloaded)),
    reforks: add((trial) => Number(trial.reforked)),
    problems: add((trial) => trial.problems.length),
  };
}

export function warningsOf(trial: Trial): number {
  return trial.warnings.reduce((sum, { times }) => sum + times, 0);
}

/** Whether in every case everything was answered and delivered once, without a warning. */
export function isGood(sum: Sum): boolean {
  return (
    sum.cases > 0 &&
    sum.sent > 0 &&
    sum.delivered === sum.sent &&
    sum.reloads === sum.cases &&
    sum.reforks === sum.cases &&
    [sum.failed, sum.lost, sum.doubled, sum.warnings, sum.problems].every((count) => count === 0)
  );
}
