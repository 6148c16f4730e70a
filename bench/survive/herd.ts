/** The herd that `make test-survive` does its deeds to: started, watched, struck and stopped. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../../src/base/clock.ts';
import { CowherdError } from '../../src/base/errors.ts';
import { ask } from '../../src/supervisor/control.ts';
import { CONTROL_VERSION, type ControlRequest } from '../../src/supervisor/control-messages.ts';
import type { RolloutReport, StatusReport } from '../../src/supervisor/status.ts';
import { freePort } from '../lib/free-port.ts';
import { APPS, COWHERD, PYTHON } from '../lib/places.ts';
import { hasEnded, identify, isAlive, kill, type ProcessIdentity, startProcess, treeOf } from '../lib/processes.ts';
import { clientPortsHeldBy, descriptorsOf, untilStopped } from './held-connections.ts';
import type { WorkerKill } from './verdicts.ts';

export interface HerdKind {
  readonly workerClass: 'sync' | 'gthread' | 'asgi';
  readonly arguments: readonly string[];
}

export const WORKERS = 4;
const SETTLES_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 10;
const GRACEFUL_SECONDS = 20;

export class Herd {
  readonly port: number;
  readonly folder: string;
  readonly workerKills: WorkerKill[] = [];
  readonly #kind: HerdKind;
  #supervisor: ProcessIdentity | null = null;
  #keeper: ProcessIdentity | null = null;
  #version = 0;

  private constructor(kind: HerdKind, folder: string, port: number) {
    this.#kind = kind;
    this.folder = folder;
    this.port = port;
  }

  static async start(kind: HerdKind, scratch: string): Promise<Herd> {
    const folder = path.join(scratch, kind.workerClass);
    mkdirSync(path.join(folder, 'tmp'), { recursive: true });
    const herd = new Herd(kind, folder, await freePort());
    herd.writeVersion();
    herd.startSupervisor();
    await herd.settle();
    return herd;
  }

  get runtimeDirectory(): string {
    return path.join(this.folder, 'run');
  }

  get log(): string {
    return path.join(this.folder, 'log');
  }

  get version(): string {
    return `v${this.#version}`;
  }

  /** New code, for the next mold that loads. */
  writeVersion(): void {
    this.#version += 1;
    writeFileSync(path.join(this.folder, 'version'), `${this.version}\n`);
  }

  /** `cowherd serve`, the same each time. */
  startSupervisor(): void {
    const options = {
      '--bind': `127.0.0.1:${this.port}`,
      '--workers': String(WORKERS),
      '--worker-class': this.#kind.workerClass,
      '--graceful-timeout': String(GRACEFUL_SECONDS),
      '--python': PYTHON,
      '--runtime-dir': this.runtimeDirectory,
    };
    const app = this.#kind.workerClass === 'asgi' ? 'survive:asgi' : 'survive:app';
    const { pid } = startProcess(COWHERD, ['serve', app, ...Object.entries(options).flat(), ...this.#kind.arguments], {
      cwd: APPS,
      log: this.log,
      environment: {
        SURVIVE_VERSION_FILE: path.join(this.folder, 'version'),
        TMPDIR: path.join(this.folder, 'tmp'),
        XDG_RUNTIME_DIR: this.folder,
        // The history of its restarts goes with the folder.
        XDG_STATE_HOME: path.join(this.folder, 'state'),
      },
    });
    this.#supervisor = identify(pid);
  }

  async status(): Promise<StatusReport | null> {
    try {
      const reply = await ask(this.runtimeDirectory, { type: 'status', version: CONTROL_VERSION });
      return reply.type === 'status' ? reply.report : null;
    } catch (error) {
      if (error instanceof CowherdError && ['NOT_RUNNING', 'NO_ANSWER', 'SUPERVISOR_GONE'].includes(error.code))
        return null;
      throw error;
    }
  }

  /** Waits until the herd is whole: a ready mold, as many ready workers as wanted, no rollout. */
  async settle(): Promise<StatusReport> {
    return await this.#until('the herd is whole', (report) => {
      const mold = report.molds.find((each) => each.generation === report.herd.generation);
      const { herd } = report;
      const whole =
        herd.phase === 'serving' &&
        herd.rollout === null &&
        herd.workers_ready === herd.workers_wanted &&
        mold?.phase === 'ready' &&
        mold.pid !== null &&
        isAlive(mold.pid) &&
        report.workers.every((worker) => worker.state !== 'ready' || isAlive(worker.pid));
      this.#keeper ??= herd.keeper.pid === null ? null : identify(herd.keeper.pid);
      return whole ? report : null;
    });
  }

  /** Waits until nobody is on the way out any more. */
  async settleCompletely(): Promise<StatusReport> {
    await this.settle();
    return await this.#until('the last worker on its way out has left', (report) =>
      report.workers.length === report.herd.workers_wanted ? report : null,
    );
  }

  /** Begins a rollout, and waits for its end. */
  async rollOut(kind: 'reload' | 'refork'): Promise<RolloutReport> {
    const generation = await this.#order({ type: kind, version: CONTROL_VERSION });
    return await this.#until(`the ${kind} has ended`, ({ herd }) =>
      herd.last_rollout?.to === generation && herd.rollout?.to !== generation ? herd.last_rollout : null,
    );
  }

  /** SIGKILL for one of the ready workers. Stops it first, to see what it holds. False if it had ended by itself. */
  async killWorker(chance: number): Promise<boolean> {
    const report = await this.#until('there is a ready worker', (each) => each);
    const ready = report.workers.filter((worker) => worker.state === 'ready' && isAlive(worker.pid));
    const chosen = ready[Math.floor(chance * ready.length)];
    if (chosen === undefined) return false;
    const { pid } = chosen;
    const stoppedAtMs = monotonicClock.now();
    kill(pid, 'SIGSTOP');
    await untilStopped(pid);
    if (!isAlive(pid)) return false;
    const clientPorts = clientPortsHeldBy(pid, this.port);
    const killedAtMs = monotonicClock.now();
    await endNow([pid]);
    this.workerKills.push({ pid, stoppedAtMs, killedAtMs, endedAtMs: monotonicClock.now(), clientPorts });
    return true;
  }

  /** SIGKILL for every mold there is. */
  async killMolds(): Promise<void> {
    const report = await this.#until('there is a mold', (each) =>
      each.molds.some((mold) => mold.pid !== null) ? each : null,
    );
    await endNow(report.molds.flatMap((mold) => mold.pid ?? []));
  }

  /** SIGKILL for the supervisor; after a while another one is started in its place. */
  async killSupervisor(pauseMs: number): Promise<void> {
    const supervisor = this.#supervisor;
    if (supervisor === null) throw new Error('there is no supervisor');
    await endNow([supervisor.pid]);
    await sleep(pauseMs);
    this.startSupervisor();
    await this.#until('the new supervisor answers', (report) => report);
  }

  /** Every process of the herd. The keeper stands beside the supervisor after an adoption. */
  processes(): ProcessIdentity[] {
    const roots = [this.#supervisor, this.#keeper].flatMap((each) => each ?? []);
    const all = new Map(
      roots.flatMap((root) => (hasEnded(root) ? [] : treeOf(root.pid).map((each) => [each.pid, each]))),
    );
    return [...all.values()];
  }

  /** Descriptors of supervisor, keeper and mold: what must not grow. */
  descriptors(report: StatusReport): Record<'supervisor' | 'keeper' | 'mold', number> {
    const mold = report.molds.find((each) => each.generation === report.herd.generation);
    const count = (pid: number | null | undefined): number =>
      pid === null || pid === undefined ? 0 : descriptorsOf(pid).length;
    return {
      supervisor: count(report.herd.supervisor.pid),
      keeper: count(report.herd.keeper.pid),
      mold: count(mold?.pid),
    };
  }

  /** SIGTERM, and waits for the last process; what has not ended is for the caller to find. */
  async stop(): Promise<void> {
    const left = this.processes();
    if (this.#supervisor !== null) kill(this.#supervisor.pid, 'SIGTERM');
    const until = monotonicClock.now() + SETTLES_WITHIN_MS;
    while (!left.every(hasEnded) && monotonicClock.now() < until) await sleep(10);
  }

  async #order(request: ControlRequest): Promise<number> {
    const reply = await ask(this.runtimeDirectory, request);
    if (reply.type !== 'answered' || !reply.accepted || reply.generation === null) {
      throw new Error(`${request.type}: ${JSON.stringify(reply)}`);
    }
    return reply.generation;
  }

  async #until<Result>(what: string, found: (report: StatusReport) => Result | null): Promise<Result> {
    const until = monotonicClock.now() + SETTLES_WITHIN_MS;
    for (;;) {
      const report = await this.status();
      const result = report === null ? null : found(report);
      if (result !== null) return result;
      if (monotonicClock.now() > until) {
        const seen = report === null ? 'nobody answers' : JSON.stringify(summaryOf(report));
        throw new Error(`not within ${SETTLES_WITHIN_MS / 1000} s: ${what}; ${seen} (log: ${this.log})`);
      }
      await sleep(LOOK_EVERY_MS);
    }
  }
}

/** SIGKILL, and the end of them all. */
async function endNow(pids: readonly number[]): Promise<void> {
  const processes = pids.flatMap((pid) => identify(pid) ?? []);
  for (const { pid } of processes) kill(pid, 'SIGKILL');
  while (!processes.every(hasEnded)) await sleep(1);
}

function summaryOf({ herd, molds, workers }: StatusReport): unknown {
  return {
    phase: herd.phase,
    generation: herd.generation,
    rollout: herd.rollout,
    wanted: herd.workers_wanted,
    ready: herd.workers_ready,
    molds: molds.map(({ generation, pid, phase }) => ({ generation, pid, phase })),
    workers: workers.map(({ pid, generation, state }) => ({ pid, generation, state })),
  };
}
