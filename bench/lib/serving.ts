/** A server that runs: started, waited for, looked into and stopped. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../../src/base/clock.ts';
import { isSystemError } from '../../src/base/errors.ts';
import { ask } from '../../src/supervisor/control/control.ts';
import { CONTROL_VERSION } from '../../src/supervisor/control/control-messages.ts';
import type { StatusReport } from '../../src/supervisor/control/status.ts';
import { freePort } from './free-port.ts';
import { get } from './http.ts';
import { childrenOf, hasEnded, kill, type ProcessIdentity, startProcess, treeOf } from './processes.ts';
import { type App, commandOf, HEALTH, nameOf, reloadFileOf, type Server } from './servers.ts';

export interface Members {
  /** What forks the workers: gunicorn's arbiter, uWSGI's master, Cowherd's mold. */
  readonly mold: number;
  readonly workers: readonly number[];
  /** The process that was started, and gets the signals. The mold itself, but with Cowherd. */
  readonly root: number;
  /** Cowherd only. */
  readonly keeper: number | null;
}

export interface StartOptions {
  readonly server: Server;
  readonly app: App;
  readonly workers: number;
  /** For the application and the server, beside this process's own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Where logs and sockets go. */
  readonly scratch: string;
}

const READY_WITHIN_MS = 120_000;
const STOPPED_WITHIN_MS = 180_000;

export class Serving {
  readonly name: string;
  readonly port: number;
  readonly root: number;
  readonly server: Server;
  readonly #workers: number;
  readonly folder: string;
  readonly #app: App;
  readonly log: string;
  /** CLOCK_MONOTONIC right before the command was run. */
  readonly startedAtMs: number;

  private constructor(options: StartOptions, port: number, folder: string) {
    this.name = nameOf(options.server);
    this.port = port;
    this.server = options.server;
    this.#workers = options.workers;
    this.#app = options.app;
    this.folder = folder;
    this.log = path.join(folder, 'log');
    writeFileSync(reloadFileOf(folder), '');
    const { command, args, cwd } = commandOf(options.server, {
      app: options.app,
      port,
      workers: options.workers,
      folder,
    });
    this.startedAtMs = monotonicClock.now();
    const { pid } = startProcess(command, args, {
      cwd,
      log: this.log,
      // The history of its restarts goes with the folder.
      environment: { XDG_STATE_HOME: folder, ...options.environment },
    });
    this.root = pid;
  }

  /** Cowherd's. */
  get runtimeDirectory(): string {
    return path.join(this.folder, 'run');
  }

  /** Runs the command; what it starts is not waited for. */
  static async launch(options: StartOptions): Promise<Serving> {
    mkdirSync(options.scratch, { recursive: true });
    const prefix = nameOf(options.server).replaceAll(/[^a-z]+/gi, '-');
    const folder = mkdtempSync(path.join(options.scratch, `${prefix}-`));
    return new Serving(options, await freePort(), folder);
  }

  /** Runs the command and waits until every worker is there and one answers. */
  static async start(options: StartOptions): Promise<Serving> {
    const serving = await Serving.launch(options);
    await serving.firstAnswer(20);
    await serving.untilWorkers(options.workers);
    return serving;
  }

  /** Asks again and again until there is an answer. The time from the command to it, in milliseconds. */
  async firstAnswer(everyMs: number): Promise<number> {
    for (;;) {
      try {
        const answer = await get(this.port, HEALTH[this.#app], READY_WITHIN_MS);
        if (answer.status !== 200) throw new Error(`${this.name} answers with ${answer.status}`);
        return monotonicClock.now() - this.startedAtMs;
      } catch (error) {
        if (!isSystemError(error, 'ECONNREFUSED', 'ECONNRESET')) throw error;
      }
      this.#checkAlive();
      if (monotonicClock.now() - this.startedAtMs > READY_WITHIN_MS) throw this.#failed('does not answer');
      await sleep(everyMs);
    }
  }

  /** Waits until there are so many workers, none more and none less. */
  async untilWorkers(count: number): Promise<Members> {
    const until = monotonicClock.now() + READY_WITHIN_MS;
    for (;;) {
      const members = await this.members();
      if (members?.workers.length === count) return members;
      this.#checkAlive();
      if (monotonicClock.now() > until) {
        throw this.#failed(`has ${members?.workers.length ?? 'unknown'} workers, not ${count}`);
      }
      await sleep(20);
    }
  }

  /** The workers that serve, and the rest; null while Cowherd has no mold yet. */
  async members(): Promise<Members | null> {
    if (this.server.kind !== 'cowherd') {
      return { root: this.root, mold: this.root, workers: childrenOf(this.root), keeper: null };
    }
    const report = await this.status();
    const mold = report?.molds.find((each) => each.generation === report.herd.generation);
    if (report === null || mold === undefined || mold.pid === null) return null;
    return {
      root: this.root,
      mold: mold.pid,
      workers: report.workers.filter((worker) => worker.state === 'ready').map((worker) => worker.pid),
      keeper: report.herd.keeper.pid,
    };
  }

  /** Cowherd's own report; null while its supervisor does not listen yet. */
  async status(): Promise<StatusReport | null> {
    try {
      const reply = await ask(this.runtimeDirectory, { type: 'status', version: CONTROL_VERSION });
      return reply.type === 'status' ? reply.report : null;
    } catch {
      return null;
    }
  }

  /** Every process of the server. */
  tree(): ProcessIdentity[] {
    return treeOf(this.root);
  }

  signal(signal: NodeJS.Signals): void {
    kill(this.root, signal);
  }

  /** SIGTERM, and waits until the last process has ended. Milliseconds between the two. */
  async stop(): Promise<number> {
    const left = this.tree();
    const started = monotonicClock.now();
    this.signal('SIGTERM');
    while (left.length > 0) {
      // Only those that were there a moment ago are looked at: a look costs microseconds.
      left.splice(0, left.length, ...left.filter((each) => !hasEnded(each)));
      if (monotonicClock.now() - started > STOPPED_WITHIN_MS) {
        throw this.#failed(`has not stopped; still there: ${left.map((each) => each.pid).join(', ')}`);
      }
      await sleep(2);
    }
    const stopped = monotonicClock.now() - started;
    const late = this.tree();
    if (late.length > 0) throw this.#failed(`has left behind ${late.map((each) => each.pid).join(', ')}`);
    return stopped;
  }

  /** Ends every process at once: for when the server has been measured and its own way to stop is of no interest. */
  async kill(): Promise<void> {
    const left = this.tree();
    for (const { pid } of left) kill(pid, 'SIGKILL');
    while (!left.every(hasEnded)) await sleep(5);
  }

  #checkAlive(): void {
    if (this.tree().length === 0) throw this.#failed('has ended');
  }

  #failed(what: string): Error {
    return new Error(`${this.name} ${what} (its log: ${this.log}, workers asked: ${this.#workers})`);
  }
}
