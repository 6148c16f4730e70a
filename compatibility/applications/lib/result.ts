/** The result of one application's trial, and the sum over all. Plain data, and pure. */
import type { LoadCount } from './load-verdicts.ts';
import type { LoggedWarning } from '../../lib/server-log.ts';
import type { Told } from './serving.ts';

export interface ApplicationResult {
  readonly name: string;
  readonly title: string;
  readonly version: string;
  readonly python: string;
  readonly gunicorn: string;
  readonly services: readonly string[];
  readonly serverArguments: readonly string[];
  readonly workers: number;
  /** Hash of Cowherd's code, this program's and the application's files. A result of other code is made again. */
  readonly code: string;
  /** Why the fields below are missing or incomplete; null after a complete trial. */
  readonly problem: string | null;
  readonly trial: Trial | null;
}

export interface Trial {
  readonly answers: {
    readonly identical: number;
    readonly masked: number;
    /** Requests whose answers differ even between two runs of gunicorn, and where. */
    readonly unsteady: readonly { readonly request: string; readonly where: readonly string[] }[];
    readonly different: readonly { readonly request: string; readonly where: readonly string[] }[];
    readonly gets: number;
    readonly posts: number;
    /** Numbers of gunicorn's answers by status. */
    readonly statuses: Readonly<Record<string, number>>;
  };
  /** Numbers of links that were not followed, by the reason. */
  readonly leftOut: Readonly<Record<string, number>>;
  readonly load: LoadCount;
  readonly reload: Told;
  readonly refork: Told;
  readonly stop: Told;
  readonly warnings: readonly LoggedWarning[];
  /** Null if the application is not traced. */
  readonly traced: { readonly gunicorn: Traced; readonly cowherd: Traced } | null;
  /** PSS of all processes of each server after the same requests, in MiB. */
  readonly memory: { readonly gunicorn: number; readonly cowherd: number; readonly afterRefork: number | null };
}

/** Requests that a server has answered, and spans of requests that have reached the collector. */
export interface Traced {
  readonly requests: number;
  readonly spans: number;
}

export interface Sum {
  readonly apps: number;
  readonly served: number;
  readonly answers_compared: number;
  readonly answers_different: number;
  readonly requests_lost: number;
  readonly reforked: number;
  readonly reloaded: number;
  readonly stopped: number;
  readonly answers_identical: number;
  readonly answers_masked: number;
  readonly answers_unsteady: number;
  readonly requests_sent: number;
  readonly requests_refused_after_stop: number;
  readonly warnings: number;
  /** Cowherd's requests without a span, and spans without a request. */
  readonly spans_missing: number;
}

/** Sums up results; `null` stands for an application without a result. */
export function sumOf(results: readonly (ApplicationResult | null)[]): Sum {
  const trials = results.flatMap((result) => (result?.problem === null && result.trial !== null ? [result.trial] : []));
  const add = (of: (trial: Trial) => number): number => trials.reduce((sum, trial) => sum + of(trial), 0);
  return {
    apps: results.length,
    served: trials.length,
    answers_compared: add(comparedIn),
    answers_different: add(({ answers }) => answers.different.length),
    requests_lost: add(({ load }) => load.lost.length),
    reforked: add(({ refork }) => Number(refork.ok)),
    reloaded: add(({ reload }) => Number(reload.ok)),
    stopped: add(({ stop }) => Number(stop.ok)),
    answers_identical: add(({ answers }) => answers.identical),
    answers_masked: add(({ answers }) => answers.masked),
    answers_unsteady: add(({ answers }) => answers.unsteady.length),
    requests_sent: add(({ load }) => load.sent),
    requests_refused_after_stop: add(({ load }) => load.refusedAfterStop),
    warnings: add(({ warnings }) => warnings.length),
    spans_missing: add(({ traced }) =>
      traced === null ? 0 : Math.abs(traced.cowherd.requests - traced.cowherd.spans),
    ),
  };
}

export function comparedIn({ answers }: Trial): number {
  return answers.identical + answers.masked + answers.unsteady.length + answers.different.length;
}

/** Whether everything was served, nothing was different or lost, and every reload, refork and stop was done. */
export function isGood(sum: Sum): boolean {
  return (
    sum.served === sum.apps &&
    sum.answers_different === 0 &&
    sum.requests_lost === 0 &&
    sum.spans_missing === 0 &&
    sum.reloaded === sum.apps &&
    sum.stopped === sum.apps &&
    sum.reforked === sum.apps
  );
}
