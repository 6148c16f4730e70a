/**
 * The running supervisor: turns what happens into events, and carries decided actions out.
 *
 * No policy here; see `decide.ts`.
 */
import type { Server } from 'node:net';
import { listenAddresses } from '../agent/inherited-sockets.ts';
import { hearKeeper, understood } from '../agent/keeper-connection.ts';
import type { KeeperMessage, Settings } from '../agent/messages.ts';
import { monotonicClock } from '../base/clock.ts';
import { CowherdError, isSystemError } from '../base/errors.ts';
import { LOG_LEVELS, type Log, type LogLevel } from '../base/log.ts';
import { isAlive } from '../procfs/alive.ts';
import { censusReport } from './census.ts';
import type { ControlOrder } from './control-messages.ts';
import { serveControl } from './control-server.ts';
import { decide } from './decide.ts';
import type { Answer } from './draft.ts';
import type { Action, HerdEvent, Heartbeat, HerdLook, MergingLook } from './events.ts';
import { Notifier } from './notifier.ts';
import type { NotifySocket } from './notify-socket.ts';
import { lookAtHerd } from './herd-look.ts';
import { Healer } from './healer.ts';
import { MemoryKills } from './memory-kills.ts';
import { Sampler } from './sampler.ts';
import { tidyStack } from './stack.ts';
import { historyWriter } from './history.ts';
import { RestartRecorder } from './restart-recorder.ts';
import { waitForOrphans } from './orphans.ts';
import { readPidFile, removePidFile, writePidFile } from './pid-file.ts';
import { createProgressView, type ProgressView } from './progress.ts';
import { removeCensus, removeRuntimeFiles } from './runtime-folder.ts';
import { RuntimePlace } from './runtime-place.ts';
import { adoptedEvent, originOf } from './adopted-event.ts';
import { HerdFile } from './herd-file.ts';
import { FIRST_GENERATION, moldOrder, startKeeper, startMold, type AdoptedHerd, type StartUp } from './start-up.ts';
import { initialState, type HerdState, type WorkerState } from './state.ts';
import { statusReport, type StatusReport } from './status.ts';
import { SIGKILL } from './signals.ts';

export interface SupervisorOptions {
  /** The keeper, which has been ordered to start the first mold. */
  startUp: StartUp;
  log: Log;
  /** Of the service manager that has started this process, if one has. */
  notifySocket: NotifySocket | null;
  /** Where progress is renewed in place; `null` without a terminal. */
  terminal: NodeJS.WriteStream | null;
  /** Called when signals and the keeper are listened to. */
  onListening?: () => void;
  /** Called each time a mold has read the settings. */
  onConfigured?: (settings: Settings) => void;
  /** Called when log files are to be opened anew. */
  onReopenLogs?: () => void;
  /** Called when as many workers as wanted are ready for the first time. */
  onServing?: () => void;
}

export interface SupervisorResult {
  exitStatus: number;
  error: CowherdError | null;
  /** The settings ask for a background process, which the caller starts. */
  daemonize: boolean;
}

const TICK_MS = 1000;
const LOADING_VIEW_MS = 200;

/**
 * Runs a herd until it ends. Signals of this process are its controls, as gunicorn's users know
 * them: TERM and INT finish requests, a second INT or QUIT is fast, HUP reloads, USR2 reforks, TTIN and TTOU change
 * the number of workers, USR1 reopens logs.
 */
export async function runSupervisor(options: SupervisorOptions): Promise<SupervisorResult> {
  const supervisor = new Supervisor(options);
  return await supervisor.run();
}

class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #log: Log;
  readonly #progress: ProgressView;
  readonly #startUp: StartUp;
  readonly #sampler: Sampler;
  readonly #memoryKills = new MemoryKills();
  readonly #startedAtMs: number;
  readonly #notifier: Notifier | null;
  readonly #recorder: RestartRecorder;
  readonly #healer: Healer;
  #wake: { atMs: number; timer: NodeJS.Timeout } | null = null;
  #state: HerdState = initialState();
  #place: RuntimePlace | null = null;
  #pidfile: string | null = null;
  #daemonize = false;
  /** The application is being loaded right now; the mold itself is busy with it, and says nothing. */
  #isLoading = false;
  #interrupts = 0;
  #orphans: Promise<void> = Promise.resolve();
  readonly #herdFile: HerdFile;
  readonly #folder: string;
  #ended: (result: SupervisorResult) => void = () => {};

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#progress = createProgressView(options.log, options.terminal);
    this.#startedAtMs = monotonicClock.now();
    this.#startUp = options.startUp;
    this.#sampler = new Sampler();
    this.#healer = new Healer(options.log);
    this.#recorder = new RestartRecorder({
      rowOf: (pid) => this.#startUp.scoreboard.row(pid),
      pssOf: (pid) => this.#sampler.sampleOf(pid)?.memory.pss ?? null,
      write: historyWriter(this.#startUp.runtimeDirectory, (text) => this.#log.warning(text)),
    });
    this.#notifier = options.notifySocket === null ? null : this.#makeNotifier(options.notifySocket);
    const origin = originOf(this.#startUp);
    this.#folder = origin.cwd;
    this.#herdFile = new HerdFile(this.#startUp.runtimeDirectory, origin, this.#log);
  }

  async run(): Promise<SupervisorResult> {
    const handlers = this.#listenToSignals();
    try {
      this.#place = await this.#takePlace();
      const ended = new Promise<SupervisorResult>((resolve) => {
        this.#ended = resolve;
      });
      // First: what the keeper has said since its inventory is about what is in there, an end for example.
      if (this.#startUp.adopted !== null) this.#adopt(this.#startUp.adopted);
      this.#hearKeeper();
      this.#options.onListening?.();
      const tick = setInterval(() => this.#tick(), TICK_MS);
      const loading = this.#watchLoading();
      const result = await ended;
      clearInterval(tick);
      clearInterval(loading);
      await this.#orphans;
      return result;
    } finally {
      for (const [signal, handler] of handlers) process.removeListener(signal, handler);
      this.#cleanUp();
    }
  }

  status(): StatusReport {
    return statusReport({
      state: this.#state,
      nowMs: monotonicClock.now(),
      nowMonotonicNs: monotonicClock.nowNs(),
      startedAtMs: this.#startedAtMs,
      folder: this.#folder,
      runtimeDirectory: this.#startUp.runtimeDirectory,
      python: this.#startUp.python,
      supervisor: { pid: process.pid, rss: process.memoryUsage.rss() },
      keeperRss: this.#sampler.rssOf(this.#state.keeperPid),
      sampleOf: (pid) => this.#sampler.sampleOf(pid),
      rowOf: (pid) => this.#startUp.scoreboard.row(pid),
      sampling: this.#sampler.cost(),
      host: this.#sampler.host(),
      isAlive,
    });
  }

  // Events

  #dispatch(event: HerdEvent): Answer | null {
    const decision = decide(this.#state, event, monotonicClock.now());
    this.#state = decision.state;
    this.#herdFile.save(decision.state);
    // Before the actions: the keeper, which sends it, may be told to leave by them.
    this.#notifier?.tell();
    for (const action of decision.actions) this.#perform(action);
    this.#recorder.observe(this.#state, event);
    return decision.answer;
  }

  #hearKeeper(): void {
    hearKeeper(this.#startUp.keeper, {
      onMessage: (message) => this.#hear(message),
      onUnreadable: (line, reason) =>
        this.#dispatch({ type: 'protocol_error', detail: `${reason} in ${line.slice(0, 200)}` }),
      onSpawnFailed: (error) =>
        this.#dispatch({
          type: 'keeper_spawn_failed',
          code: 'PYTHON_NOT_FOUND',
          detail: `${this.#startUp.python} (${error.code ?? error.message})`,
        }),
      onExit: (exitStatus, signal) => {
        // The latest counters of its workers.
        this.#woken();
        this.#dispatch({ type: 'keeper_exited', python: this.#startUp.python, exitStatus, signal });
      },
    });
  }

  /** The herd of a supervisor that has died is this one's from now on. */
  #adopt(adopted: AdoptedHerd): void {
    for (const problem of adopted.problems) this.#log.warning(`Of the herd's past something is missing: ${problem}`);
    this.#dispatch(adoptedEvent(this.#startUp, adopted));
    for (const unheard of adopted.inventory.unheard) {
      const message = understood(unheard);
      if (typeof message !== 'string') this.#dispatch({ type: 'keeper_says', message });
    }
  }

  #hear(message: KeeperMessage): void {
    if (message.type === 'from_mold' && message.message.type === 'progress') {
      this.#progress.show(message.message);
      this.#isLoading = message.message.phase === 'load' && !message.message.final;
    }
    if (message.type === 'worker_forked') this.#readRowOf(message.pid, message.scoreboard);
    if (message.type !== 'process_exited') {
      this.#dispatch({ type: 'keeper_says', message });
      return;
    }
    const { scoreboard } = this.#startUp;
    const death = {
      stack: tidyStack(scoreboard.stack(message.pid)),
      outOfMemory: message.signal === SIGKILL ? this.#memoryKills.claim() : false,
    };
    this.#recorder.exited(message);
    this.#dispatch({ type: 'keeper_says', message, death });
    scoreboard.close(message.pid);
  }

  #readRowOf(pid: number, keepersDescriptor: number): void {
    const problem = this.#startUp.scoreboard.open(pid, this.#state.keeperPid ?? 0, keepersDescriptor);
    if (problem !== null) this.#log.error(`The counters of worker ${pid} can't be read: ${problem}`);
  }

  #makeNotifier(socket: NotifySocket): Notifier {
    return new Notifier(
      socket,
      (command) => this.#startUp.keeper.send(command),
      () => ({ state: this.#state, requests: () => this.status().herd.requests }),
    );
  }

  #tick(): void {
    this.#place?.look();
    this.#memoryKills.tick();
    const merging = this.#lookAtMerging();
    this.#dispatch({ type: 'tick', ...this.#look(), ...(merging === null ? {} : { merging }) });
  }

  #woken(): void {
    this.#dispatch({ type: 'woken', ...this.#look() });
  }

  #look(): { heartbeats: Heartbeat[]; memory: HerdLook } {
    const nowNs = monotonicClock.nowNs();
    const heartbeats: Heartbeat[] = [];
    for (const worker of Object.values(this.#state.workers)) {
      const row = this.#startUp.scoreboard.row(worker.pid);
      if (row === null) continue;
      heartbeats.push({
        pid: worker.pid,
        agoMs: Number(nowNs - row.heartbeatMonotonicNs) / 1e6,
        requestsFinished: row.requestsFinished,
        inFlight: Math.max(0, row.requestsStarted - row.requestsFinished),
        ...this.#stackOf(worker),
      });
    }
    return { heartbeats, memory: lookAtHerd(this.#state, (pid) => this.#sampler.sampleOf(pid)) };
  }

  #lookAtMerging(): MergingLook | null {
    if (this.#state.settings?.heal !== true) return null;
    const molds = Object.values(this.#state.molds).flatMap(({ pid }) => pid ?? []);
    return this.#healer.look([...molds, ...Object.keys(this.#state.workers).map(Number)]);
  }

  /** Of a worker that was told to end and has not yet. */
  #stackOf(worker: WorkerState): { stack?: string } {
    if (worker.abortedAtMs === null || worker.stack !== null) return {};
    const stack = tidyStack(this.#startUp.scoreboard.stack(worker.pid));
    return stack === null ? {} : { stack };
  }

  #listenToSignals(): Map<NodeJS.Signals, () => void> {
    const stop = (by: string, quick: boolean): void => {
      this.#dispatch({ type: 'stop_requested', by, quick });
    };
    const handlers = new Map<NodeJS.Signals, () => void>([
      ['SIGTERM', () => stop('SIGTERM', false)],
      [
        'SIGINT',
        () => {
          this.#interrupts += 1;
          stop(this.#interrupts === 1 ? 'Ctrl-C' : 'second Ctrl-C', this.#interrupts > 1);
        },
      ],
      ['SIGQUIT', () => stop('SIGQUIT', true)],
      ['SIGTTIN', () => void this.#dispatch({ type: 'scale', by: 1 })],
      ['SIGTTOU', () => void this.#dispatch({ type: 'scale', by: -1 })],
      [
        'SIGUSR1',
        () => {
          this.#options.onReopenLogs?.();
          this.#dispatch({ type: 'reopen_logs' });
        },
      ],
      ['SIGHUP', () => void this.#dispatch({ type: 'reload_requested', by: 'SIGHUP' })],
      ['SIGUSR2', () => void this.#dispatch({ type: 'refork_requested', by: 'SIGUSR2' })],
    ]);
    for (const [signal, handler] of handlers) process.on(signal, handler);
    return handlers;
  }

  async #takePlace(): Promise<RuntimePlace> {
    return await RuntimePlace.open({
      directory: this.#startUp.runtimeDirectory,
      log: this.#log,
      serve: async () => await this.#serveControl(),
      writeHerdFile: () => this.#herdFile.again(this.#state),
    });
  }

  async #serveControl(): Promise<Server> {
    return await serveControl(this.#startUp.runtimeDirectory, {
      status: () => this.status(),
      stop: (quick) => void this.#dispatch({ type: 'stop_requested', by: 'cowherd stop', quick }),
      census: (start) => {
        if (start) this.#dispatch({ type: 'census_requested' });
        return censusReport(this.#state, this.#startUp.runtimeDirectory, monotonicClock.now());
      },
      order: (order) => this.#dispatch(orderEvent(order)),
    });
  }

  #watchLoading(): NodeJS.Timeout | undefined {
    if (this.#options.terminal === null) return undefined;
    return setInterval(() => {
      const mold = this.#state.molds[this.#state.generation];
      if (mold === undefined || mold.pid === null || !this.#isLoading) return;
      const rss = this.#sampler.rssOf(mold.pid);
      if (rss === null) return;
      const seconds = (monotonicClock.now() - mold.startedAtMs) / 1000;
      this.#progress.showLoading(seconds, rss);
    }, LOADING_VIEW_MS);
  }

  // Actions

  #perform(action: Action): void {
    switch (action.do) {
      case 'start_mold':
        // The first one was ordered together with the keeper.
        if (action.generation === FIRST_GENERATION) return;
        this.#startUp.keeper.send(startMold(this.#startUp, action.generation, action.rejected, action.occasion));
        return;
      case 'adopt_mold':
        this.#startUp.keeper.send({
          type: 'adopt_mold',
          pid: action.pid,
          generation: action.generation,
          mold: moldOrder(this.#startUp, action.generation, [], 'refork'),
        });
        return;
      case 'listen':
        this.#listen(action.generation, action.settings);
        return;
      case 'keep_listeners':
        this.#startUp.keeper.send({ type: 'keep_listeners', generations: action.generations });
        return;
      case 'turn_away':
        this.#startUp.keeper.send({ type: 'turn_away' });
        return;
      case 'use_settings':
        this.#useSettings(action.settings);
        return;
      case 'record_rollout':
        this.#recorder.rolloutEnded(action.outcome);
        return;
      case 'give_listeners':
        this.#startUp.keeper.send({ type: 'give_listeners', generation: action.generation });
        return;
      case 'tell_mold':
        this.#startUp.keeper.send({
          type: 'to_mold',
          generation: action.generation,
          message: action.message,
        });
        return;
      case 'signal':
        this.#startUp.keeper.send({ type: 'signal', pid: action.pid, signal: action.signal });
        return;
      case 'set_background':
        this.#startUp.keeper.send({ type: 'set_background', pid: action.pid, background: action.background });
        return;
      case 'ask_keeper':
        this.#startUp.keeper.send({ type: 'pulse' });
        return;
      case 'tell_keeper_to_leave':
        this.#startUp.keeper.send({ type: 'exit' });
        return;
      case 'wait_for_orphans':
        this.#waitForOrphans(action.pids);
        return;
      case 'start_keeper':
        this.#startUp.keeper = startKeeper(this.#startUp);
        this.#hearKeeper();
        return;
      case 'write_pidfile':
        this.#writePidfile(action.path);
        return;
      case 'daemonize':
        this.#daemonize = true;
        return;
      case 'watch_process':
        this.#sampler.watch(action.pid, action.role, action.generation);
        return;
      case 'forget_process':
        this.#sampler.forget(action.pid);
        return;
      case 'remove_census':
        removeCensus(this.#startUp.runtimeDirectory, action.generation);
        return;
      case 'start_merging':
        this.#startMerging();
        return;
      case 'stop_merging':
        this.#healer.stop();
        return;
      case 'announce_serving':
        this.#options.onServing?.();
        return;
      case 'wake':
        this.#wakeAt(action.atMs);
        return;
      case 'log':
        this.#progress.clear();
        this.#log[action.level](action.text, action.fields);
        return;
      case 'end':
        this.#end(action.exitStatus, action.error);
        return;
    }
  }

  #startMerging(): void {
    const reason = this.#healer.start();
    // Not within the decision that led here.
    if (reason !== null) queueMicrotask(() => this.#dispatch({ type: 'merging_failed', reason }));
  }

  #waitForOrphans(pids: number[]): void {
    const { scoreboard } = this.#startUp;
    const finished = (): number => pids.reduce((total, pid) => total + (scoreboard.row(pid)?.requestsFinished ?? 0), 0);
    this.#orphans = waitForOrphans(pids, this.#state.settings?.graceful_timeout_seconds ?? 30);
    void this.#orphans.then(() => this.#dispatch({ type: 'orphans_gone', requestsFinished: finished() }));
  }

  #listen(generation: number, settings: Settings): void {
    this.#startUp.keeper.send({
      type: 'listen',
      generation,
      addresses: listenAddresses(settings.addresses, this.#startUp.sockets.activated),
      backlog: settings.backlog,
      reuse_port: settings.reuse_port,
      umask: settings.umask,
      uid: settings.uid,
      gid: settings.gid,
      grace_seconds: settings.graceful_timeout_seconds,
    });
  }

  #useSettings(settings: Settings): void {
    this.#options.onConfigured?.(settings);
    this.#setLevel(settings.log_level);
    this.#sampler.setBudget(settings.sampling_budget_percent);
  }

  /** One timer is enough: every decision that still waits for something asks again. */
  #wakeAt(atMs: number): void {
    if (this.#wake !== null) {
      if (this.#wake.atMs <= atMs) return;
      clearTimeout(this.#wake.timer);
    }
    const timer = setTimeout(
      () => {
        this.#wake = null;
        this.#woken();
      },
      Math.max(1, Math.ceil(atMs - monotonicClock.now())),
    );
    this.#wake = { atMs, timer };
  }

  #writePidfile(path: string): void {
    // Not within the decision that led here.
    const fail = (code: string, detail: string): void =>
      queueMicrotask(() => this.#dispatch({ type: 'pidfile_failed', code, detail }));
    const previous = readPidFile(path);
    const isOurs = previous === process.pid || previous === this.#startUp.adopted?.saved?.supervisorPid;
    if (previous !== null && !isOurs && isAlive(previous)) {
      fail('PIDFILE_IN_USE', `${path} names process ${previous}`);
      return;
    }
    try {
      writePidFile(path, process.pid);
      if (this.#pidfile !== null && this.#pidfile !== path) removePidFile(this.#pidfile, process.pid);
      this.#pidfile = path;
    } catch (error) {
      fail('PIDFILE_UNWRITABLE', `${path} (${isSystemError(error) ? error.code : String(error)})`);
    }
  }

  #setLevel(level: string): void {
    const known = LOG_LEVELS.find((each): each is LogLevel => each === level);
    if (known !== undefined) this.#log.setLevel(known);
  }

  #end(exitStatus: number, error: { code: string; detail: string } | null): void {
    this.#recorder.end(error === null ? null : `${error.code}: ${error.detail}`);
    const known = error === null ? null : CowherdError.named(error.code, error.detail);
    this.#ended({
      exitStatus: known?.exitStatus ?? exitStatus,
      error: known,
      daemonize: this.#daemonize,
    });
  }

  #cleanUp(): void {
    this.#progress.clear();
    if (this.#wake !== null) clearTimeout(this.#wake.timer);
    this.#sampler.stop();
    this.#healer.stop();
    this.#notifier?.stop();
    this.#herdFile.stop();
    this.#place?.close();
    this.#startUp.scoreboard.closeAll();
    removeRuntimeFiles(this.#startUp.runtimeDirectory);
    if (this.#pidfile !== null) removePidFile(this.#pidfile, process.pid);
  }
}

/** The event that a command's order is. */
function orderEvent(order: ControlOrder): HerdEvent {
  const by = `cowherd ${order.type === 'merge' ? 'heal' : order.type}`;
  return order.type === 'scale'
    ? { type: 'scale_to', workers: order.workers, by }
    : { type: `${order.type}_requested`, by };
}
