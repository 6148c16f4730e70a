/** A server of an application: started, waited for, looked into, told to reload, refork and stop. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf, hasEnded, identify, kill, startProcess, treeOf } from '../../../bench/lib/processes.ts';
import { monotonicClock } from '../../../src/base/clock.ts';
import { inMiB } from '../../../src/base/units.ts';
import { readSmapsRollup } from '../../../src/procfs/smaps-rollup.ts';
import { ask } from '../../../src/supervisor/control/control.ts';
import { CONTROL_VERSION } from '../../../src/supervisor/control/control-messages.ts';
import type { Application, Site } from './description.ts';
import { COWHERD, logsOf } from './places.ts';
import { commandOf, environmentFor, type ServerKind } from './servers.ts';
import { exchangeWith } from './visitor.ts';

const READY_WITHIN_MS = 400_000;
const STOPPED_WITHIN_MS = 120_000;
const SHOWN_LINES = 8;
const TOLD_WITHIN_MS = 600_000;

export interface Told {
  readonly ok: boolean;
  readonly seconds: number;
  /** What the command said, where it failed. */
  readonly failure: string | null;
}

export class Serving {
  readonly kind: ServerKind;
  readonly log: string;
  readonly port: number;
  readonly #application: Application;
  readonly #runtimeDirectory: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #root: number;
  /** How many times it has answered whether it is ready. */
  readyAnswers = 0;

  private constructor(kind: ServerKind, application: Application, site: Site, name: string) {
    this.kind = kind;
    this.port = site.port;
    this.#application = application;
    this.log = path.join(logsOf(application.name), `${name}.log`);
    rmSync(this.log, { force: true });
    this.#runtimeDirectory = path.join(site.folder, 'cowherd-run');
    this.#environment = {
      ...environmentFor(application, site),
      XDG_STATE_HOME: path.join(site.folder, 'cowherd-state'),
    };
    mkdirSync(site.folder, { recursive: true });
    const { command, args } = commandOf(kind, application, site, this.#runtimeDirectory);
    this.#root = startProcess(command, args, { cwd: site.folder, environment: this.#environment, log: this.log }).pid;
  }

  /** Returns when all workers are there and one has answered. `name` is the log's. */
  static async start(kind: ServerKind, application: Application, site: Site, name: string): Promise<Serving> {
    const serving = new Serving(kind, application, site, name);
    const until = monotonicClock.now() + READY_WITHIN_MS;
    while (!(await serving.#isReady())) {
      if (treeOf(serving.#root).length === 0) throw serving.#failed('has ended');
      if (monotonicClock.now() > until) throw serving.#failed(`is not ready after ${READY_WITHIN_MS / 1000} s`);
      await sleep(200);
    }
    return serving;
  }

  #failed(what: string): Error {
    const end = readFileSync(this.log, 'utf8').trimEnd().split('\n').slice(-SHOWN_LINES).join('\n');
    return new Error(`${this.kind} ${what}; its log, ${this.log}, ends with\n${end}`);
  }

  async #isReady(): Promise<boolean> {
    if ((await this.#workers()) !== this.#application.workers) return false;
    try {
      const sending = { method: 'GET', path: this.#application.readyPath, content: null, timeoutMs: 60_000 };
      const answer = await exchangeWith(this.port, { ...sending, headers: this.#application.requestHeaders ?? {} });
      this.readyAnswers += 1;
      return answer.status < 500;
    } catch {
      return false;
    }
  }

  async #workers(): Promise<number> {
    if (this.kind === 'gunicorn') return childrenOf(this.#root).length;
    try {
      const reply = await ask(this.#runtimeDirectory, { type: 'status', version: CONTROL_VERSION });
      return reply.type === 'status' ? reply.report.workers.filter(({ state }) => state === 'ready').length : 0;
    } catch {
      return 0;
    }
  }

  /** Proportional memory (PSS) of all its processes. */
  pssMib(): number {
    return treeOf(this.#root).reduce((sum, { pid }) => sum + inMiB(readSmapsRollup(pid)?.pss ?? (0 as never)), 0);
  }

  /** Runs `cowherd COMMAND` and waits for its end. */
  async tell(command: 'reload' | 'refork' | 'stop'): Promise<Told> {
    const startedAtMs = monotonicClock.now();
    const args = [COWHERD, command, '--runtime-dir', this.#runtimeDirectory];
    const failure = await new Promise<string | null>((resolve) => {
      execFile(
        process.execPath,
        args,
        { env: { ...process.env, ...this.#environment }, timeout: TOLD_WITHIN_MS },
        (error, stdout, stderr) => resolve(error === null ? null : `${stdout}${stderr}`.trim() || error.message),
      );
    });
    return { ok: failure === null, seconds: (monotonicClock.now() - startedAtMs) / 1000, failure };
  }

  /** SIGTERM, and waits for the last process. What is there after two minutes is killed, and is an error. */
  async end(): Promise<void> {
    const left = treeOf(this.#root);
    kill(this.#root, 'SIGTERM');
    const until = monotonicClock.now() + STOPPED_WITHIN_MS;
    while (!left.every(hasEnded)) {
      if (monotonicClock.now() > until) {
        for (const { pid } of left) kill(pid, 'SIGKILL');
        throw new Error(`${this.kind} has not stopped within ${STOPPED_WITHIN_MS / 1000} s`);
      }
      await sleep(20);
    }
  }

  /** Whether every process has ended. */
  hasEnded(): boolean {
    return identify(this.#root) === null || treeOf(this.#root).length === 0;
  }
}
