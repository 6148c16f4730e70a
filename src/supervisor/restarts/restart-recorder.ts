/**
 * Watches the host while the herd restarts, and only then: memory every tenth of a second, faults of each process every
 * second. Writes a record once the last process ended by a restart has left. See restart-record.ts.
 */
import type { KeeperMessage } from '../../agent/messages.ts';
import type { ScoreboardRow } from '../../agent/scoreboard.ts';
import { monotonicClock } from '../../base/clock.ts';
import { readMeminfo } from '../../procfs/meminfo.ts';
import { readStat } from '../../procfs/stat.ts';
import type { HerdEvent } from '../herd/events.ts';
import * as record from './restart-record.ts';
import type { HerdState, RolloutOutcome } from '../herd/state.ts';

const LOOK_EVERY_MS = 100;
const LOOKS_PER_PROCESS_READING = 10;

/** A record is written after this time even if a process has still not left. */
const LONGEST_SETTLING_MS = 60_000;

type Exited = Extract<KeeperMessage, { type: 'process_exited' }>;

export interface RecorderOptions {
  /** The scoreboard row of a worker. */
  rowOf: (pid: number) => ScoreboardRow | null;
  /** The latest sampled PSS of a process. */
  pssOf: (pid: number) => number | null;
  write: (record: record.RestartRecord) => void;
}

export class RestartRecorder {
  readonly #options: RecorderOptions;
  #restart: record.Restart | null = null;
  /** The restart has ended, and the processes that it ends are still leaving. */
  #ended: { endedAtMs: number; failure: string | null } | null = null;
  #state: HerdState | null = null;
  #timer: NodeJS.Timeout | null = null;
  #looks = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Called after each event: a restart may have begun, or its last process may have left. */
  observe(state: HerdState, event: HerdEvent): void {
    this.#state = state;
    const { rollout, phase, generation } = state;
    if (phase === 'ended') return;
    if (phase === 'stopping') {
      if (this.#restart?.kind === 'stop') return;
      this.#finish('the herd was stopped');
      if (state.anyWorkerEverReady) this.#begin('stop', reasonOf(state, event), generation, null, monotonicClock.now());
    } else if (rollout !== null && !this.#isOf(rollout)) {
      this.#finish('it was given up');
      this.#begin(rollout.kind, rollout.by, rollout.from, rollout.to, rollout.startedAtMs);
    } else if (this.#ended !== null && isSettled(state, this.#ended.endedAtMs)) {
      this.#finish(null);
    }
  }

  /** A process has ended. Call this before the event is decided. */
  exited(message: Exited): void {
    if (this.#restart === null || this.#state === null) return;
    const { pid, counters } = message;
    const known = herdOf(this.#state).find((process) => process.pid === pid);
    const reading: record.ProcessReading = {
      ...(known ?? { pid, role: 'other', generation: null }),
      minorFaults: message.minor_faults,
      majorFaults: message.major_faults,
      requestsFinished: counters?.requests_finished ?? 0,
      responseErrors: counters?.response_errors ?? 0,
    };
    const inFlight = counters === null ? 0 : counters.requests_started - counters.requests_finished;
    record.noteExit(this.#restart, reading, inFlight);
  }

  rolloutEnded(outcome: RolloutOutcome): void {
    if (!this.#isOf(outcome)) this.#begin(outcome.kind, outcome.by, outcome.from, outcome.to, outcome.startedAtMs);
    this.#ended = { endedAtMs: outcome.endedAtMs, failure: outcome.failure };
  }

  /** The supervisor ends: writes any record under way. `failure` is the error that ended the herd. */
  end(failure: string | null): void {
    if (this.#restart === null && failure !== null && this.#state?.anyWorkerEverReady === true) {
      this.#begin('stop', failure, this.#state.generation, null, monotonicClock.now());
    }
    this.#finish(failure);
  }

  #isOf(rollout: { kind: string; to: number; startedAtMs: number }): boolean {
    const { kind, to, startedAtMs } = this.#restart ?? { kind: '', to: 0, startedAtMs: 0 };
    return kind === rollout.kind && to === rollout.to && startedAtMs === rollout.startedAtMs;
  }

  #begin(kind: record.RestartKind, by: string, from: number, to: number | null, startedAtMs: number): void {
    this.#ended = null;
    const agoMs = monotonicClock.now() - startedAtMs;
    const started = new Date(Date.now() - agoMs).toISOString();
    const what = { kind, by, from, to, started, startedAtMs, workers: this.#state?.target ?? 0 };
    this.#restart = record.beginRestart(what, readMeminfo(), this.#readings());
    this.#looks = 0;
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  #look(): void {
    if (this.#restart === null || this.#state === null) return;
    record.noteHost(this.#restart, readMeminfo());
    this.#looks += 1;
    if (this.#looks % LOOKS_PER_PROCESS_READING === 0) this.#lookAtProcesses(this.#restart);
    if (this.#ended !== null && isSettled(this.#state, this.#ended.endedAtMs)) this.#finish(null);
  }

  #lookAtProcesses(restart: record.Restart): void {
    let pss = 0;
    for (const reading of this.#readings()) {
      record.noteProcess(restart, reading);
      pss += this.#options.pssOf(reading.pid) ?? 0;
    }
    record.notePss(restart, pss);
  }

  /** Stops watching and writes the record; `failure` applies if the restart itself has no outcome yet. */
  #finish(failure: string | null): void {
    const restart = this.#restart;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#restart = null;
    if (restart === null) return;
    const nowMs = monotonicClock.now();
    const ended = this.#ended ?? { endedAtMs: nowMs, failure };
    this.#ended = null;
    record.noteHost(restart, readMeminfo());
    this.#lookAtProcesses(restart);
    this.#options.write(record.recordOf(restart, { ...ended, settledAtMs: nowMs }));
  }

  #readings(): record.ProcessReading[] {
    const state = this.#state;
    if (state === null) return [];
    return herdOf(state).flatMap((process) => {
      const stat = readStat(process.pid);
      if (stat === null) return [];
      const { minorFaults, majorFaults } = stat;
      const worker = state.workers[process.pid];
      const row = worker === undefined ? null : this.#options.rowOf(worker.pid);
      const isOwn = row?.pid === process.pid;
      const requestsFinished = isOwn ? row.requestsFinished : 0;
      const responseErrors = isOwn ? row.responseErrors : 0;
      return [{ ...process, minorFaults, majorFaults, requestsFinished, responseErrors }];
    });
  }
}

/** All processes in the state, plus the supervisor. */
function herdOf(state: HerdState): Pick<record.ProcessReading, 'pid' | 'role' | 'generation'>[] {
  return [
    { pid: process.pid, role: 'supervisor' as const, generation: null },
    ...(state.keeperPid === null ? [] : [{ pid: state.keeperPid, role: 'keeper' as const, generation: null }]),
    ...Object.values(state.molds).flatMap(({ pid, generation }) =>
      pid === null ? [] : [{ pid, role: 'mold' as const, generation }],
    ),
    ...Object.values(state.workers).map(({ pid, generation }) => ({ pid, role: 'worker' as const, generation })),
  ];
}

/** Whether every process that the rollout told to leave has left. */
function isSettled(state: HerdState, endedAtMs: number): boolean {
  if (monotonicClock.now() > endedAtMs + LONGEST_SETTLING_MS) return true;
  const leaving = [
    ...Object.values(state.workers).filter(
      (worker) => worker.phase === 'draining' || worker.generation !== state.generation,
    ),
    ...Object.values(state.molds).filter((mold) => mold.phase === 'leaving' || mold.phase === 'failed'),
  ];
  return leaving.length === 0;
}

function reasonOf(state: HerdState, event: HerdEvent): string {
  if (event.type === 'stop_requested') return event.by;
  return state.stop?.error?.code ?? 'finished';
}
