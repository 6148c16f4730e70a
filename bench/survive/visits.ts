/** The load of `make test-survive`: a process that checks and counts every request; see `visitor-process.ts`. */
import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHECKOUT } from '../lib/places.ts';

export interface VisitOptions {
  readonly port: number;
  /** Numbers of visitors: `fresh` ones open a connection for each request, `keeping` ones keep theirs. */
  readonly fresh: number;
  readonly keeping: number;
  /** The longest pause between an answer and the next request of a visitor. Pauses are random. */
  readonly pauseMs: number;
  /** A request without an answer for this time is lost. */
  readonly timeoutMs: number;
}

/** A request that got no whole answer. Times are CLOCK_MONOTONIC. */
export interface Failure {
  readonly number: number;
  readonly kind: string;
  /** Whether its connection had carried an answer before. */
  readonly reused: boolean;
  /** The client's port; null without a connection. */
  readonly port: number | null;
  readonly openedAtMs: number | null;
  readonly sentAtMs: number;
  readonly failedAtMs: number;
  readonly bytesOfAnswer: number;
  readonly reason: string;
}

export interface VisitReport {
  readonly sent: number;
  readonly answered: number;
  /** How many of `answered` were on a connection that had carried an answer before. */
  readonly onReused: number;
  readonly failures: readonly Failure[];
  /** First attempts that were retried: the server closed a reused connection without a byte (RFC 9112, 9.3.1). */
  readonly retries: readonly Failure[];
  readonly wrong: readonly { readonly number: number; readonly kind: string; readonly what: string }[];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
}

/** Messages of the process: each version of the code when it first answers, and the report at the end. */
export type VisitMessage = { readonly version: string } | { readonly report: VisitReport };

export class Visits {
  readonly #child: ChildProcess;
  readonly #versions = new Set<string>();
  #report: VisitReport | null = null;
  #ended: number | null | undefined;

  private constructor(options: VisitOptions) {
    const program = path.join(import.meta.dirname, 'visitor-process.ts');
    this.#child = fork(program, [JSON.stringify(options)], { cwd: CHECKOUT, execArgv: ['--import', 'tsx'] });
    this.#child.on('message', (message: VisitMessage) => {
      if ('version' in message) this.#versions.add(message.version);
      else this.#report = message.report;
    });
    const end = (): boolean => this.#child.kill('SIGKILL');
    this.#child.once('exit', (status) => {
      this.#ended = status;
      process.removeListener('exit', end);
    });
    process.once('exit', end);
  }

  /** Starts the load, and returns when the first request has been answered. */
  static async start(options: VisitOptions): Promise<Visits> {
    const visits = new Visits(options);
    while (visits.#versions.size === 0) {
      visits.#checkRunning();
      await sleep(10);
    }
    return visits;
  }

  /** Whether any answer came from this version of the code. Throws if the load has ended. */
  hasSeen(version: string): boolean {
    this.#checkRunning();
    return this.#versions.has(version);
  }

  /** Ends the load, waits for the last answer, and returns the report. */
  async end(): Promise<VisitReport> {
    if (this.#ended === undefined) {
      const ended = new Promise((resolve) => {
        this.#child.once('exit', resolve);
      });
      this.#child.send('enough');
      await ended;
    }
    if (this.#report === null) throw new Error(`the load has ended without a report, with status ${this.#ended}`);
    return this.#report;
  }

  #checkRunning(): void {
    if (this.#ended !== undefined) throw new Error(`the load has ended with status ${this.#ended}`);
  }
}
