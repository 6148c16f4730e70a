/** The running supervisor: turns occurrences into events, and carries out what decisions/decide.ts decides. */
import type { Server } from 'node:net';
import { hearKeeper, understood } from '../agent/keeper-connection.ts';
import type { KeeperCommand, KeeperMessage, Settings } from '../agent/messages.ts';
import type { ScoreboardRow } from '../agent/scoreboard.ts';
import { monotonicClock } from '../base/clock.ts';
import { isLogLevel, type Log } from '../base/log.ts';
import type { Bytes } from '../base/units.ts';
import { isAlive } from '../procfs/alive.ts';
import { serveControl } from './control/control-server.ts';
import { isBinding } from './decisions/binding.ts';
import { decide } from './decisions/decide.ts';
import type { Answer } from './herd/draft.ts';
import type { Action, HerdEvent, Heartbeat, HerdReading, MergingReading } from './herd/events.ts';
import { Notifier } from './service-manager/notifier.ts';
import type { NotifySocket } from './service-manager/notify-socket.ts';
import { heartbeatsOf } from './heartbeats.ts';
import { readHerd } from './sampling/herd-reading.ts';
import { requestOf } from './order-events.ts';
import { Healer } from './ksm/healer.ts';
import { MemoryKills } from './sampling/memory-kills.ts';
import { Sampler } from './sampling/sampler.ts';
import { tidyStack } from './runtime-directory/stack.ts';
import { historyWriter } from './restarts/history.ts';
import { RestartRecorder } from './restarts/restart-recorder.ts';
import { countersOfRetired, orphansGone } from './orphan-counters.ts';
import { waitForOrphans } from './runtime-directory/orphans.ts';
import { commandOf, isKeeperAction, type KeeperAction } from './keeper-commands.ts';
import type { GunicornSide } from './gunicorn/gunicorn-side.ts';
import { HerdPidFile } from './pid-file.ts';
import { listenToSignals } from './signal-handlers.ts';
import { LoadingView } from './loading-view.ts';
import { resultOf, type SupervisorOptions, type SupervisorResult } from './supervisor-options.ts';
import * as predecessor from './herd/predecessor.ts';
import { createProgressView, type ProgressView } from './progress.ts';
import { removeOldCensuses, removeRuntimeFiles } from './runtime-directory/runtime-folder.ts';
import { RuntimePlace } from './runtime-directory/runtime-place.ts';
import { adoptedEvent, originOf } from './adopted-event.ts';
import { HerdEndpoint } from './herd-endpoint.ts';
import { HerdFile } from './runtime-directory/herd-file.ts';
import { startKeeper, type AdoptedHerd, type StartUp } from './start-up.ts';
import { initialState, type HerdState } from './herd/state.ts';
import { statusReport, type StatusReport } from './control/status.ts';
import { SIGKILL } from './herd/signals.ts';
import { Waker } from './waker.ts';

const TICK_MS = 1000;

/** Runs a herd until it ends. */
export async function runSupervisor(options: SupervisorOptions): Promise<SupervisorResult> {
  const supervisor = new Supervisor(options);
  return await supervisor.run();
}

class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #log: Log;
  readonly #progress: ProgressView;
  readonly #loading: LoadingView | null;
  readonly #startUp: StartUp;
  readonly #sampler: Sampler;
  readonly #memoryKills = new MemoryKills();
  readonly #startedAtMs: number;
  readonly #notifier: Notifier | null;
  readonly #recorder: RestartRecorder;
  readonly #healer: Healer;
  readonly #endpoint: HerdEndpoint;
  readonly #waker = new Waker(() => this.#woken());
  #gunicorn: GunicornSide | null = null;
  #state: HerdState;
  #place: RuntimePlace | null = null;
  readonly #pidFile = new HerdPidFile();
  #daemonize = false;
  #orphans: Promise<void> = Promise.resolve();
  readonly #herdFile: HerdFile;
  readonly #folder: string;
  #ended: (result: SupervisorResult) => void = () => {};

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#progress = createProgressView(options.log, options.terminal);
    this.#loading = options.terminal === null ? null : new LoadingView(this.#progress, () => this.#servingMold());
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
    this.#state = { ...initialState(), predecessor: this.#startUp.predecessor };
    const origin = originOf(this.#startUp);
    this.#folder = origin.cwd;
    const isHeldBack = predecessor.serves(this.#state);
    this.#herdFile = new HerdFile(this.#startUp.runtimeDirectory, origin, this.#log, isHeldBack);
    const rowOf = (pid: number): ScoreboardRow | null => this.#startUp.scoreboard.row(pid);
    this.#endpoint = new HerdEndpoint({ report: () => this.status(), state: () => this.#state, rowOf }, this.#log);
  }

  async run(): Promise<SupervisorResult> {
    const removeHandlers = listenToSignals((event) => this.#dispatch(event), this.#options.onReopenLogs);
    try {
      this.#gunicorn = await this.#gunicornSide();
      this.#place = await this.#takePlace();
      const ended = new Promise<SupervisorResult>((resolve) => {
        this.#ended = resolve;
      });
      // Adopt first: the keeper's later messages refer to the inventory, for example an end to a process in it.
      if (this.#startUp.adopted !== null) this.#adopt(this.#startUp.adopted);
      this.#hearKeeper();
      this.#options.onListening?.();
      const tick = setInterval(() => this.#tick(), TICK_MS);
      const result = await ended;
      clearInterval(tick);
      await this.#orphans;
      return result;
    } finally {
      removeHandlers();
      this.#cleanUp();
    }
  }

  /** gunicorn's own doors are an addition: without them the herd serves. */
  async #gunicornSide(): Promise<GunicornSide | null> {
    try {
      // Imported separately: Node opens all files of one import at once, and 64 may be too many.
      const { GunicornSide: Side } = await import('./gunicorn/gunicorn-side.ts');
      return new Side({
        ...this.#options,
        state: () => this.#state,
        report: () => this.status(),
        send: (command) => this.#send(command),
        request: (event) => this.#dispatch(event),
      });
    } catch (error) {
      this.#log.error(`StatsD, gunicornc and dirty arbiters are not served: ${String(error)}`);
      return null;
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
    this.#herdFile.save(decision.state, isBinding(decision));
    // Before the actions: they may tell the keeper to leave, and the keeper sends the notification.
    this.#notifier?.tell();
    for (const action of decision.actions) {
      if (isKeeperAction(action)) this.#send(commandOf(action, this.#startUp));
      else this.#perform(action);
    }
    this.#recorder.observe(this.#state, event);
    this.#gunicorn?.observe(this.#state, event, decision.actions);
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
        // Reads the final counters of its workers.
        this.#woken();
        this.#dispatch({ type: 'keeper_exited', python: this.#startUp.python, exitStatus, signal });
      },
    });
  }

  /** Takes over the herd of a dead supervisor. */
  #adopt(adopted: AdoptedHerd): void {
    for (const problem of adopted.problems)
      this.#log.warning(`Adopted herd: some saved state could not be restored: ${problem}`);
    removeOldCensuses(this.#startUp.runtimeDirectory);
    this.#dispatch(adoptedEvent(this.#startUp, adopted));
    for (const unheard of adopted.inventory.unheard) {
      const message = understood(unheard);
      if (typeof message !== 'string') this.#dispatch({ type: 'keeper_says', message });
    }
  }

  #hear(message: KeeperMessage): void {
    if (message.type === 'from_mold' && message.message.type === 'progress') {
      this.#progress.show(message.message);
      this.#loading?.hear(message.message);
    }
    if (message.type === 'worker_forked') this.#readRowOf(message.pid, message.scoreboard);
    const { scoreboard } = this.#startUp;
    if (message.type !== 'process_exited') {
      this.#dispatch({ type: 'keeper_says', message, ...countersOfRetired(message, scoreboard) });
      return;
    }
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
      (command) => this.#send(command),
      () => ({ state: this.#state, requests: () => this.status().herd.requests }),
    );
  }

  #tick(): void {
    if (!predecessor.keepsDirectory(this.#state)) this.#place?.look();
    this.#memoryKills.tick();
    const merging = this.#lookAtMerging();
    this.#dispatch({ type: 'tick', ...this.#look(), ...(merging === null ? {} : { merging }) });
  }

  #woken(): void {
    this.#dispatch({ type: 'woken', ...this.#look() });
  }

  #look(): { heartbeats: Heartbeat[]; memory: HerdReading } {
    const heartbeats = heartbeatsOf(this.#state, this.#startUp.scoreboard, monotonicClock.nowNs());
    return { heartbeats, memory: readHerd(this.#state, (pid) => this.#sampler.sampleOf(pid)) };
  }

  #servingMold(): { startedAtMs: number; rss: Bytes } | null {
    const mold = this.#state.molds[this.#state.generation];
    const rss = mold === undefined ? null : this.#sampler.rssOf(mold.pid);
    return mold === undefined || rss === null ? null : { startedAtMs: mold.startedAtMs, rss };
  }

  #lookAtMerging(): MergingReading | null {
    if (this.#state.settings?.heal !== true) return null;
    const molds = Object.values(this.#state.molds).flatMap(({ pid }) => pid ?? []);
    return this.#healer.look([...molds, ...Object.keys(this.#state.workers).map(Number)]);
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
      order: (order) => this.#dispatch(requestOf(order)),
    });
  }

  // Actions

  #perform(action: Exclude<Action, KeeperAction>): void {
    switch (action.do) {
      case 'use_settings':
        this.#useSettings(action.settings);
        return;
      case 'record_rollout':
        this.#recorder.rolloutEnded(action.outcome);
        return;
      case 'wait_for_orphans':
        this.#waitForOrphans(action.pids, action.slots);
        return;
      case 'start_keeper':
        this.#startUp.keeper = startKeeper(this.#startUp);
        this.#hearKeeper();
        return;
      case 'take_over':
        this.#startUp.keeper.send({ type: 'take_over' });
        return;
      case 'own_directory':
        this.#herdFile.own(this.#state);
        removeOldCensuses(this.#startUp.runtimeDirectory);
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
        this.#waker.wakeAt(action.atMs);
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

  #waitForOrphans(pids: number[], slots: Readonly<Record<number, number>>): void {
    const { scoreboard } = this.#startUp;
    this.#orphans = waitForOrphans(pids, this.#state.settings?.graceful_timeout_seconds ?? 30);
    void this.#orphans.then(() => this.#dispatch(orphansGone(slots, (pid) => scoreboard.row(pid))));
  }

  #send(command: KeeperCommand | null): void {
    if (command !== null) this.#startUp.keeper.send(command);
  }

  #useSettings(settings: Settings): void {
    this.#options.onConfigured?.(settings);
    if (isLogLevel(settings.log_level)) this.#log.setLevel(settings.log_level);
    this.#sampler.setBudget(settings.sampling_budget_percent);
    this.#endpoint.use(settings);
  }

  #writePidfile(path: string): void {
    const problem = this.#pidFile.write(path, this.#startUp.adopted?.saved?.supervisorPid);
    // Not within the decision that led here.
    if (problem !== null) queueMicrotask(() => this.#dispatch({ type: 'pidfile_failed', ...problem }));
  }

  #end(exitStatus: number, error: { code: string; detail: string } | null): void {
    this.#recorder.end(error === null ? null : `${error.code}: ${error.detail}`);
    this.#ended(resultOf(exitStatus, error, this.#daemonize));
  }

  #cleanUp(): void {
    this.#loading?.stop();
    this.#progress.clear();
    this.#endpoint.close();
    this.#waker.stop();
    this.#gunicorn?.close();
    this.#sampler.stop();
    this.#healer.stop();
    this.#notifier?.stop();
    this.#herdFile.stop();
    this.#place?.close();
    this.#startUp.scoreboard.closeAll();
    // A herd that has not ended serves on, or is abandoned (abandon.ts). Otherwise everything but the control socket,
    // which is closed, may belong to the predecessor.
    const isOver = this.#state.phase === 'ended' && !predecessor.serves(this.#state);
    if (isOver) removeRuntimeFiles(this.#startUp.runtimeDirectory);
    this.#pidFile.remove();
  }
}
