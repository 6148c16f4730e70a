/** What was seen of one package on one interpreter. Plain data, kept as JSON between runs. */

export interface Wrong {
  /** The path that was asked for. */
  readonly request: string;
  readonly expected: string;
  /** The answer, or the error of the connection. */
  readonly got: string;
}

/** A start that failed: the end of the log. */
export interface NotStarted {
  readonly started: false;
  readonly log: string;
}

export interface GunicornRun {
  readonly started: true;
  readonly secondsToServe: number;
  readonly asked: number;
  /** Answers that were not of status 200. */
  readonly failed: readonly string[];
  /** How many of the answers are different: a use whose answers are all alike shows nothing. */
  readonly distinct: number;
  readonly stopSeconds: number;
}

export interface RolloutSeen {
  /** Null where it was done. */
  readonly failure: string | null;
  readonly seconds: number;
  /** Requests that were answered from its begin to a moment after its end. */
  readonly requests: number;
  readonly wrong: readonly Wrong[];
}

export interface StopSeen {
  readonly status: number | null;
  readonly seconds: number;
  /** Processes, sockets and files that were there afterwards. */
  readonly left: readonly string[];
}

export interface CowherdRun {
  readonly started: true;
  readonly secondsToServe: number;
  readonly policy: string;
  /** Policies that `auto` did not take, and why not. */
  readonly remarks: readonly string[];
  readonly asked: number;
  readonly wrong: readonly Wrong[];
  readonly reload: RolloutSeen;
  readonly refork: RolloutSeen;
  readonly stop: StopSeen;
  /** Lines of the log from the level warning on, which gunicorn has not; each kind once. */
  readonly warnings: readonly string[];
  /** Other lines that speak of an error or a warning, which gunicorn has not; each kind once. */
  readonly output: readonly string[];
}

export interface Observation {
  readonly package: string;
  /** Such as "3.13". */
  readonly python: string;
  /** Such as "3.13.0". */
  readonly pythonVersion: string;
  /** Of what Cowherd and the use are made; see fingerprint.ts. */
  readonly fingerprint: string;
  /** That has last changed Cowherd; see fingerprint.ts. */
  readonly commit: string | null;
  /** ISO 8601. */
  readonly at: string;
  /** Of the package itself. */
  readonly version: string;
  readonly gunicornVersion: string;
  readonly gunicorn: GunicornRun | NotStarted;
  /** Null where gunicorn had not started: there is nothing to compare with. */
  readonly cowherd: CowherdRun | NotStarted | null;
}
