/** The herd that `make test-survive` does its deeds to: started, watched, struck and stopped. */
import type { ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../../src/base/clock.ts';
import { CowherdError, type ErrorCode } from '../../src/base/errors.ts';
import { readStat } from '../../src/procfs/stat.ts';
import { ask } from '../../src/supervisor/control/control.ts';
import {
  CONTROL_VERSION,
  type ControlReply,
  type ControlRequest,
} from '../../src/supervisor/control/control-messages.ts';
import type { RolloutReport, StatusReport } from '../../src/supervisor/control/status.ts';
import { freePort } from '../lib/free-port.ts';
import { COWHERD } from '../lib/places.ts';
import { hasEnded, identify, isAlive, kill, type ProcessIdentity, startProcess, treeOf } from '../lib/processes.ts';
import { type CommandResult, runCowherd } from './command.ts';
import { SmallDisk } from './disk.ts';
import type { HerdKind } from './herd-kinds.ts';
import { clientPortsHeldBy, descriptorsOf, untilStopped } from './held-connections.ts';
import { Site } from './site.ts';
import { Terminal } from './terminal.ts';
import type { Interval, Scaling } from './vacancies.ts';
import type { WorkerKill } from './verdicts.ts';

export const WORKERS = 4;
/** How many files each process may have open: Cowherd's own need less than half of it. */
export const DESCRIPTORS = 128;
/** Molds that are killed again and again are replaced after pauses of up to 30 seconds. */
const SETTLES_WITHIN_MS = 150_000;
const LOOK_EVERY_MS = 10;
const GRACEFUL_SECONDS = 20;
/** In which nobody answers for a while: the supervisor is away, or its directory is. */
const AWAY: ReadonlySet<ErrorCode> = new Set(['NOT_RUNNING', 'NO_ANSWER', 'SUPERVISOR_GONE']);

export class Herd {
  readonly kind: HerdKind;
  readonly port: number;
  readonly folder: string;
  readonly site: Site;
  /** Under the runtime directory; null where this user may mount none. */
  readonly disk: SmallDisk | null;
  readonly workerKills: WorkerKill[] = [];
  readonly scalings: Scaling[] = [];
  readonly keeperStops: Interval[] = [];
  #wanted = WORKERS;
  #child: ChildProcess | null = null;
  #terminal: Terminal | null = null;
  #supervisor: ProcessIdentity | null = null;
  #keeper: ProcessIdentity | null = null;

  private constructor(kind: HerdKind, folder: string, port: number) {
    this.kind = kind;
    this.folder = folder;
    this.port = port;
    mkdirSync(path.join(folder, 'tmp'), { recursive: true });
    this.disk = SmallDisk.mount(path.join(folder, 'disk'));
    this.site = new Site(path.join(folder, 'site'), this.#versionFile, `127.0.0.1:${port}`);
  }

  /** In a terminal: supervisor, keeper, molds and workers all write there. */
  static async start(kind: HerdKind, scratch: string, inTerminal: boolean): Promise<Herd> {
    const herd = new Herd(kind, path.join(scratch, kind.name), await freePort());
    if (inTerminal) herd.#startInTerminal();
    else herd.#startWithLog();
    await herd.settle();
    return herd;
  }

  get runtimeDirectory(): string {
    return path.join(this.disk?.folder ?? this.folder, 'run');
  }

  get log(): string {
    return path.join(this.folder, 'log');
  }

  get wanted(): number {
    return this.#wanted;
  }

  get terminal(): Terminal | null {
    return this.#terminal;
  }

  get #versionFile(): string {
    return path.join(this.folder, 'version');
  }

  get #environment(): Record<string, string> {
    return {
      SURVIVE_VERSION_FILE: this.#versionFile,
      TMPDIR: path.join(this.folder, 'tmp'),
      XDG_RUNTIME_DIR: this.folder,
      // The history of its restarts goes with the folder.
      XDG_STATE_HOME: path.join(this.folder, 'state'),
    };
  }

  /** `cowherd serve`, the same each time, with few descriptors. */
  get #command(): string[] {
    const options = {
      '--workers': String(WORKERS),
      '--worker-class': this.kind.workerClass,
      '--graceful-timeout': String(GRACEFUL_SECONDS),
      '--python': this.site.python,
      '--runtime-dir': this.runtimeDirectory,
    };
    const limited = ['prlimit', `--nofile=${DESCRIPTORS}:${DESCRIPTORS}`];
    const serve = [COWHERD, 'serve', `survive:${this.kind.app}`];
    return [...limited, ...serve, ...Object.entries(options).flat(), ...this.kind.arguments];
  }

  #startWithLog(): void {
    const [command = '', ...args] = this.#command;
    const { child } = startProcess(command, args, {
      cwd: this.site.folder,
      log: this.log,
      environment: this.#environment,
    });
    this.#child = child;
    this.#terminal = null;
  }

  #startInTerminal(): void {
    this.#child = null;
    this.#terminal = Terminal.run(this.#command, {
      cwd: this.site.folder,
      log: this.log,
      environment: this.#environment,
    });
  }

  /** Another command for this herd, such as `status`. */
  async command(...args: string[]): Promise<CommandResult> {
    return await runCowherd([...args, '--runtime-dir', this.runtimeDirectory], this.#environment);
  }

  async status(): Promise<StatusReport | null> {
    try {
      const reply = await ask(this.runtimeDirectory, { type: 'status', version: CONTROL_VERSION });
      return reply.type === 'status' ? reply.report : null;
    } catch (error) {
      if (error instanceof CowherdError && AWAY.has(error.code)) return null;
      throw error;
    }
  }

  /** Waits until the herd is whole: a ready mold, as many ready workers as wanted, no rollout. */
  async settle(): Promise<StatusReport> {
    return await this.until('the herd is whole', (report) => {
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
      this.#keepKeeper(herd.keeper.pid);
      this.#supervisor ??= identify(herd.supervisor.pid);
      return whole ? report : null;
    });
  }

  /** Nothing that is done here may end it: the listening sockets are its own. */
  #keepKeeper(pid: number | null): void {
    if (pid !== null) this.#keeper ??= identify(pid);
    const { pid: first } = this.#keeper ?? { pid };
    if (pid !== first) throw new Error(`the keeper was process ${first}, and is ${pid} (log: ${this.log})`);
  }

  /** Waits until nobody is on the way out any more. */
  async settleCompletely(): Promise<StatusReport> {
    await this.settle();
    return await this.until('the last worker on its way out has left', (report) =>
      report.workers.length === report.herd.workers_wanted ? report : null,
    );
  }

  /** Begins a rollout, and says to which generation it leads. */
  async begin(kind: 'reload' | 'refork'): Promise<number> {
    const reply = await this.#order({ type: kind, version: CONTROL_VERSION });
    if (reply.generation === null) throw new Error(`${kind}: ${JSON.stringify(reply)}`);
    return reply.generation;
  }

  /** Waits for the end of a rollout. */
  async ended(generation: number): Promise<RolloutReport> {
    return await this.until(`the rollout to generation ${generation} has ended`, ({ herd }) =>
      herd.last_rollout?.to === generation && herd.rollout?.to !== generation ? herd.last_rollout : null,
    );
  }

  /** Begins a rollout, and waits for its end. */
  async rollOut(kind: 'reload' | 'refork'): Promise<RolloutReport> {
    return await this.ended(await this.begin(kind));
  }

  /** So many workers are wanted from now on. */
  async scale(workers: number): Promise<void> {
    const fromMs = monotonicClock.now();
    await this.#order({ type: 'scale', version: CONTROL_VERSION, workers });
    this.scalings.push({ fromMs, toMs: monotonicClock.now(), by: workers - this.#wanted });
    this.#wanted = workers;
  }

  /** SIGSTOP for the keeper. What is returned lets it go on. */
  async stopKeeper(): Promise<() => void> {
    const keeper = this.#keeper;
    if (keeper === null) throw new Error('there is no keeper');
    const fromMs = monotonicClock.now();
    kill(keeper.pid, 'SIGSTOP');
    await untilStopped(keeper.pid);
    return () => {
      kill(keeper.pid, 'SIGCONT');
      this.keeperStops.push({ fromMs, toMs: monotonicClock.now() });
    };
  }

  /** SIGKILL for one of the ready workers. Stops it first, to see what it holds. Null if it had ended by itself. */
  async killWorker(chance: number): Promise<WorkerKill | null> {
    const report = await this.until('there is a ready worker', (each) => each);
    const ready = report.workers.filter((worker) => worker.state === 'ready' && isAlive(worker.pid));
    const chosen = ready[Math.floor(chance * ready.length)];
    if (chosen === undefined) return null;
    const { pid } = chosen;
    const stoppedAtMs = monotonicClock.now();
    kill(pid, 'SIGSTOP');
    await untilStopped(pid);
    if (!isAlive(pid)) return null;
    const clientPorts = clientPortsHeldBy(pid, this.port);
    const killedAtMs = monotonicClock.now();
    await endNow([pid]);
    const killed = { pid, stoppedAtMs, killedAtMs, endedAtMs: monotonicClock.now(), clientPorts };
    this.workerKills.push(killed);
    return killed;
  }

  /** SIGKILL for every mold there is. */
  async killMolds(): Promise<void> {
    const report = await this.until('there is a mold', (each) =>
      each.molds.some((mold) => mold.pid !== null) ? each : null,
    );
    await endNow(report.molds.flatMap((mold) => mold.pid ?? []));
  }

  /** SIGKILL for the supervisor; after a while another one is started in its place, and adopts the herd. */
  async killSupervisor(pauseMs: number, { inTerminal = false } = {}): Promise<void> {
    const supervisor = this.#supervisor;
    if (supervisor === null) throw new Error('there is no supervisor');
    await endNow([supervisor.pid]);
    // The shell in it has no other work.
    await this.#terminal?.close();
    await sleep(pauseMs);
    if (inTerminal) this.#startInTerminal();
    else this.#startWithLog();
    this.#supervisor = await this.until(
      'the new supervisor answers',
      ({
        herd: {
          supervisor: { pid },
        },
      }) => (pid === supervisor.pid ? null : identify(pid)),
    );
  }

  /** Every process of the herd, and of its terminal. The keeper stands beside the supervisor after an adoption. */
  processes(): ProcessIdentity[] {
    const roots = [this.#supervisor, this.#keeper, ...this.helpers().map(identify)].flatMap((each) => each ?? []);
    const all = new Map(
      roots.flatMap((root) => (hasEnded(root) ? [] : treeOf(root.pid).map((each) => [each.pid, each]))),
    );
    return [...all.values()];
  }

  /** What runs around a supervisor that was started in a terminal, and is not Cowherd's. */
  helpers(): number[] {
    if (this.#terminal === null || this.#supervisor === null) return [];
    const shell = readStat(this.#supervisor.pid)?.parentPid;
    return [...(this.#terminal.isOpen ? [this.#terminal.pid] : []), ...(shell === undefined ? [] : [shell])];
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

  /** `cowherd stop`, and waits for the last process; what has not ended is for the caller to find. */
  async stop(): Promise<void> {
    const left = this.processes();
    const stop = await this.command('stop');
    if (stop.status !== 0) throw new Error(`cowherd stop ended with ${stop.status}: ${stop.stderr} (log: ${this.log})`);
    const until = monotonicClock.now() + SETTLES_WITHIN_MS;
    while (!left.every(hasEnded) && monotonicClock.now() < until) await sleep(10);
    const child = this.#child;
    // In a terminal the shell knows.
    if (child === null) return;
    while (child.exitCode === null && child.signalCode === null && monotonicClock.now() < until) await sleep(10);
    const ending = child.exitCode ?? child.signalCode;
    if (ending !== 0) throw new Error(`the supervisor ended with ${ending} (log: ${this.log})`);
  }

  async #order(request: ControlRequest): Promise<Extract<ControlReply, { type: 'answered' }>> {
    const reply = await ask(this.runtimeDirectory, request);
    if (reply.type !== 'answered' || !reply.accepted) throw new Error(`${request.type}: ${JSON.stringify(reply)}`);
    return reply;
  }

  /** Looks at the status again and again; `found` gives null while it is not so. */
  async until<Result>(what: string, found: (report: StatusReport) => Result | null): Promise<Result> {
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
