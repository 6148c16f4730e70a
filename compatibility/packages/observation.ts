/** The observation of one package on one interpreter. Plain data, kept as JSON between runs. */

export interface Wrong {
  /** The requested path. */
  readonly request: string;
  readonly expected: string;
  /** The answer, or the error of the connection. */
  readonly got: string;
}

/** A failed start, with the end of the log. */
export interface NotStarted {
  readonly started: false;
  readonly log: string;
}

export interface GunicornRun {
  readonly started: true;
  readonly secondsToServe: number;
  readonly asked: number;
  /** Answers without status 200, and answers that changed. */
  readonly failed: readonly string[];
  /** The number of different answers: a use whose answers are all the same shows nothing. */
  readonly distinct: number;
  readonly stopSeconds: number;
}

export interface RolloutSeen {
  /** Null if it succeeded. */
  readonly failure: string | null;
  readonly seconds: number;
  /** Number of requests from its beginning until shortly after its end. */
  readonly requests: number;
  readonly wrong: readonly Wrong[];
}

export interface StopSeen {
  readonly status: number | null;
  readonly seconds: number;
  /** Processes, sockets and files left behind. */
  readonly left: readonly string[];
}

export interface CowherdRun {
  readonly started: true;
  readonly secondsToServe: number;
  readonly policy: string;
  /** Policies that `auto` did not choose, and why not. */
  readonly remarks: readonly string[];
  readonly asked: number;
  readonly wrong: readonly Wrong[];
  readonly reload: RolloutSeen;
  readonly refork: RolloutSeen;
  readonly stop: StopSeen;
  /** Log lines from the level warning up that gunicorn's log doesn't have; each kind once. */
  readonly warnings: readonly string[];
  /** Other lines that mention an error or a warning and that gunicorn's log doesn't have; each kind once. */
  readonly output: readonly string[];
}

export interface Observation {
  readonly package: string;
  /** Such as "3.13". */
  readonly python: string;
  /** Such as "3.13.0". */
  readonly pythonVersion: string;
  /** Hash of the sources of Cowherd and of the use; see fingerprint.ts. */
  readonly fingerprint: string;
  /** The last commit that changed Cowherd; see fingerprint.ts. */
  readonly commit: string | null;
  /** ISO 8601. */
  readonly at: string;
  /** The version of the package itself. */
  readonly version: string;
  readonly gunicornVersion: string;
  readonly gunicorn: GunicornRun | NotStarted;
  /** Null if gunicorn did not start, so that there is nothing to compare with. */
  readonly cowherd: CowherdRun | NotStarted | null;
}
