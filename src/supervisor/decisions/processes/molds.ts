/** Decisions about molds: starting one, putting it into use, and the consequences of its end. */
import { pauseMs, wasStable } from '../../rules/backoff.ts';
import type { MoldMessage, MoldOccasion, Settings } from '../../../agent/messages.ts';
import { log, own, type Draft } from '../../herd/draft.ts';
import { describeEnding } from '../../herd/endings.ts';
import * as phase from './herd-phase.ts';
import * as predecessor from '../../herd/predecessor.ts';
import type { Ending, MoldsPart, MoldState } from '../../herd/state.ts';
import * as stopping from './stopping.ts';
import { SIGKILL } from '../../herd/signals.ts';
import * as workerRecords from './worker-records.ts';
import type { Writable } from '../../herd/writable.ts';

type Configured = Extract<MoldMessage, { type: 'configured' }>;
type Ready = Extract<MoldMessage, { type: 'mold_ready' }>;

/** The pause before a dead serving mold is replaced; it doubles with each death in a row, up to the longest. */
const RESTART_PAUSES = { firstMs: 500, longestMs: 30_000 };

/** A mold that was ready for this long ends a row of deaths. */
const STABLE_MS = 10_000;

/**
 * How long a mold yields the processor to the workers that serve beside it. On a host that is always busy it would
 * never become ready; after this time it takes its share.
 */
export const BACKGROUND_MS = 30_000;

/** How long a dismissed mold may take to leave before it is killed. */
const LEAVE_GRACE_MS = 5_000;

/** Starts the first mold, which is current at once: there is nothing to lose. */
export function startFirst(draft: Draft): void {
  own<MoldsPart>(draft).generation = start(draft, [], 'first');
}

/** Orders a mold of a new generation; returns the generation. */
export function start(draft: Draft, rejected: MoldState['rejectedPolicies'], occasion: MoldOccasion): number {
  const generation = nextGeneration(draft);
  add(draft, newMold(generation, draft.nowMs, rejected));
  draft.actions.push({ do: 'start_mold', generation, rejected: [...rejected], occasion });
  return generation;
}

/** Takes the number of the next generation. */
export function nextGeneration(draft: Draft): number {
  return (own<MoldsPart>(draft).newestGeneration += 1);
}

export function add(draft: Draft, mold: MoldState): void {
  own<MoldsPart>(draft).molds[mold.generation] = mold;
}

export function newMold(generation: number, nowMs: number, rejected: MoldState['rejectedPolicies']): MoldState {
  return {
    generation,
    pid: null,
    phase: 'starting',
    settings: null,
    listeners: null,
    policy: null,
    remarks: [],
    report: {},
    backgroundSinceMs: null,
    startedAtMs: nowMs,
    readyAtMs: null,
    rejectedPolicies: rejected,
    dismissedAtMs: null,
    threads: 0,
    leavesAfterWorkersBefore: null,
  };
}

export function started(draft: Draft, generation: number, pid: number): void {
  const { state } = draft;
  const mold = own<MoldsPart>(draft).molds[generation];
  if (mold === undefined) return;
  mold.pid = pid;
  draft.actions.push({ do: 'watch_process', pid, role: 'mold', generation });
  if (state.phase === 'stopping' || mold.phase === 'leaving') {
    draft.actions.push({ do: 'signal', pid, signal: SIGKILL });
  } else if (state.rollout?.to === generation || predecessor.serves(state)) {
    // A mold that replaces a dead one is in no rollout: without it no worker can be replaced.
    toBackground(draft, generation, pid);
  }
}

/** Lets requests go first while a mold is prepared beside the herd. */
export function toBackground(draft: Draft, generation: number, pid: number): void {
  const mold = own<MoldsPart>(draft).molds[generation];
  if (mold !== undefined) mold.backgroundSinceMs = draft.nowMs;
  draft.actions.push(
    { do: 'set_background', pid, background: true },
    { do: 'wake', atMs: draft.nowMs + BACKGROUND_MS },
  );
}

/** Called before the mold forks at the latest, because workers inherit its priority. */
function toForeground(draft: Draft, mold: Writable<MoldState>): void {
  if (mold.backgroundSinceMs === null) return;
  mold.backgroundSinceMs = null;
  if (mold.pid !== null) draft.actions.push({ do: 'set_background', pid: mold.pid, background: false });
}

export function configured(draft: Draft, generation: number, message: Configured): void {
  const { state } = draft;
  const mold = own<MoldsPart>(draft).molds[generation];
  if (mold === undefined || state.phase === 'stopping' || mold.phase === 'leaving') return;
  mold.phase = 'loading';
  mold.remarks = message.remarks;
  mold.settings = message.settings;
  const isFirst = state.settings === null;
  // A reload's settings become the herd's when its first worker is ready. Apply these before logging: they include the
  // log level.
  if (generation === state.generation) useSettings(draft, message.settings);
  for (const { policy, reason } of message.remarks) {
    log(draft, 'info', `Heap policy ${policy} is not used: ${reason}`);
  }
  if (isFirst) {
    workerRecords.want(draft, Math.max(1, message.settings.workers));
    log(
      draft,
      'info',
      `Serving ${message.settings.app || 'the application'} with gunicorn ${message.gunicorn_version}` +
        ` (${message.settings.worker_class}) on Python ${message.python_version}`,
    );
  }
  draft.actions.push({ do: 'listen', generation, settings: message.settings });
}

/** Makes these settings the herd's. */
export function useSettings(draft: Draft, settings: Settings): void {
  const { state } = draft;
  const { pidfile } = settings;
  if (pidfile !== null && pidfile !== (state.settings?.pidfile ?? null)) {
    draft.actions.push({ do: 'write_pidfile', path: pidfile });
  }
  own<MoldsPart>(draft).settings = settings;
  draft.actions.push({ do: 'use_settings', settings });
}

/** The keeper has opened this generation's listeners. */
export function listening(draft: Draft, generation: number, listeners: string[]): void {
  const { state } = draft;
  const mold = own<MoldsPart>(draft).molds[generation];
  if (mold === undefined || mold.phase === 'leaving') return;
  draft.actions.push({ do: 'give_listeners', generation });
  mold.listeners = listeners;
  if (generation === state.generation) useListeners(draft, listeners);
}

/** Makes these the herd's listeners. */
export function useListeners(draft: Draft, listeners: readonly string[]): void {
  const before = draft.state.listeners?.join(', ');
  own<MoldsPart>(draft).listeners = listeners;
  if (listeners.join(', ') !== before) log(draft, 'info', `Listening at: ${listeners.join(', ')}`);
}

/** Molds with threads whose work no worker does; another mold that loads the application would do the same work. */
export function withThreads(draft: Draft): MoldState[] {
  return Object.values(draft.state.molds).filter(
    (mold) => mold.threads > 0 && mold.phase === 'ready' && mold.leavesAfterWorkersBefore === null,
  );
}

/** Pauses these threads while another mold loads the application; resumes them when that mold fails. */
export function tellThreads(draft: Draft, type: 'pause_threads' | 'resume_threads'): void {
  for (const { generation } of withThreads(draft)) {
    draft.actions.push({ do: 'tell_mold', generation, message: { type } });
  }
}

/** Makes a mold leave once every worker of a generation before this one has left. */
export function dismissAfterWorkers(draft: Draft, ofMold: number, generation: number): void {
  const mold = own<MoldsPart>(draft).molds[ofMold];
  if (mold !== undefined) mold.leavesAfterWorkersBefore = generation;
  dismissWithoutWorkers(draft);
}

/** Dismisses molds whose last such worker has left. */
export function dismissWithoutWorkers(draft: Draft): void {
  const { molds, workers } = draft.state;
  for (const { generation, leavesAfterWorkersBefore: before } of Object.values(molds)) {
    if (before === null || Object.values(workers).some((worker) => worker.generation < before)) continue;
    dismiss(draft, generation);
  }
}

/** Tells a mold to leave; it is killed if it does not. */
export function dismiss(draft: Draft, generation: number): void {
  const mold = own<MoldsPart>(draft).molds[generation];
  if (mold === undefined || mold.phase === 'leaving') return;
  const isReady = mold.phase === 'ready';
  // A failed mold leaves by itself.
  mold.phase = mold.phase === 'failed' ? 'failed' : 'leaving';
  mold.dismissedAtMs = draft.nowMs;
  if (mold.pid === null) return;
  if (isReady) {
    draft.actions.push({ do: 'tell_mold', generation, message: { type: 'exit', final: false } });
    draft.actions.push({ do: 'wake', atMs: draft.nowMs + LEAVE_GRACE_MS });
  } else if (mold.phase === 'leaving') {
    // The mold is loading and does not read messages; it has no worker and no request.
    draft.actions.push({ do: 'signal', pid: mold.pid, signal: SIGKILL });
  }
}

/** At least once a second: handles molds that take too long to become ready or to leave. */
export function look(draft: Draft): void {
  for (const mold of Object.values(own<MoldsPart>(draft).molds)) {
    if (mold.backgroundSinceMs !== null && draft.nowMs >= mold.backgroundSinceMs + BACKGROUND_MS) {
      toForeground(draft, mold);
    }
    if (mold.dismissedAtMs === null || mold.pid === null) continue;
    if (draft.nowMs < mold.dismissedAtMs + LEAVE_GRACE_MS) continue;
    mold.dismissedAtMs = draft.nowMs;
    draft.actions.push({ do: 'signal', pid: mold.pid, signal: SIGKILL });
  }
}

export function ready(draft: Draft, generation: number, message: Ready): void {
  const { state } = draft;
  const mold = own<MoldsPart>(draft).molds[generation];
  if (mold === undefined || state.phase === 'stopping' || mold.phase !== 'loading') return;
  mold.phase = 'ready';
  mold.policy = message.policy;
  mold.report = message.report;
  mold.readyAtMs = draft.nowMs;
  mold.threads = message.threads;
  toForeground(draft, mold);
  phase.serve(draft);
  // The mold replaces a dead one. If it has the same threads, it takes over their work.
  if (generation === state.generation) {
    const others = withThreads(draft).filter((other) => other !== mold);
    if (mold.threads > 0) for (const other of others) dismiss(draft, other.generation);
    else tellThreads(draft, 'resume_threads');
  }
  const secondsTaken = ((draft.nowMs - mold.startedAtMs) / 1000).toFixed(1);
  const asked = message.asked_policy === message.policy ? '' : ` (${message.asked_policy})`;
  log(draft, 'info', `Mold ${generation} is ready after ${secondsTaken} s: heap policy ${message.policy}${asked}`, {
    report: message.report,
  });
}

export function failed(draft: Draft, generation: number, code: string, detail: string): void {
  const { state } = draft;
  const mold = own<MoldsPart>(draft).molds[generation];
  if (mold === undefined) return;
  if (state.phase === 'starting') {
    // With an address error the mold would wait for listeners that never come: it stays `loading`, so that the stop
    // kills it.
    if (!code.startsWith('ADDRESS')) mold.phase = 'failed';
    stopping.fail(draft, code, detail);
    return;
  }
  // A failed mold leaves by itself, unless it waits for listeners that never come.
  const isWaiting = mold.phase === 'loading';
  mold.phase = 'failed';
  mold.dismissedAtMs = draft.nowMs;
  log(draft, 'error', `Mold ${generation} failed: ${code}: ${detail}`);
  if (isWaiting && mold.pid !== null && code.startsWith('ADDRESS')) {
    draft.actions.push({ do: 'signal', pid: mold.pid, signal: SIGKILL });
  }
}

export function policyRejected(draft: Draft, generation: number, policy: string, reason: string): void {
  const mold = own<MoldsPart>(draft).molds[generation];
  if (mold === undefined) return;
  mold.rejectedPolicies = [...mold.rejectedPolicies, { policy, reason }];
  if (mold.phase !== 'leaving') mold.phase = 'starting';
  log(draft, 'warning', `Heap policy ${policy} failed its self-test, trying the next one: ${reason}`);
}

/**
 * Removes an ended mold from the herd.
 *
 * @returns the mold, or `null` when the process was none
 */
export function exited(draft: Draft, pid: number): MoldState | null {
  const mold = Object.values(draft.state.molds).find((each) => each.pid === pid);
  if (mold === undefined) return null;
  delete own<MoldsPart>(draft).molds[mold.generation];
  workerRecords.forgetOrders(draft, mold.generation);
  return mold;
}

/** The current mold has ended: another one is started, or the herd fails to start. */
export function replaceEnded(draft: Draft, mold: MoldState, ending: Ending): void {
  const { state } = draft;
  const { pid, phase } = mold;
  const how = describeEnding(ending);
  if (state.phase === 'starting') {
    const outOfMemory = ending.signal === SIGKILL;
    stopping.fail(
      draft,
      outOfMemory ? 'MOLD_OUT_OF_MEMORY' : 'MOLD_DIED',
      outOfMemory
        ? `the mold (pid ${pid}) was killed while it loaded, most likely because memory ran out`
        : `the mold (pid ${pid}) ${how} while it was ${phase}`,
    );
    return;
  }
  replaceLater(draft, mold, `(pid ${pid}) ${how}`);
}

/**
 * Removes a mold whose process could not be started; a herd that is starting ends with it.
 *
 * @returns the mold, or `null` when the herd has none of that generation, or ends
 */
export function notStarted(draft: Draft, generation: number, reason: string): MoldState | null {
  const { state } = draft;
  const mold = state.molds[generation];
  if (mold === undefined) return null;
  delete own<MoldsPart>(draft).molds[generation];
  if (state.phase === 'serving') return mold;
  if (state.phase === 'starting') stopping.fail(draft, 'MOLD_NOT_STARTED', reason);
  return null;
}

export function replaceNotStarted(draft: Draft, mold: MoldState, reason: string): void {
  replaceLater(draft, mold, `could not be started: ${reason}`);
}

function replaceLater(draft: Draft, mold: MoldState, how: string): void {
  const { state } = draft;
  if (predecessor.serves(state)) {
    stopping.fail(draft, 'MOLD_DIED', `the mold of generation ${mold.generation} ${how}`);
    return;
  }
  const stable = wasStable(mold.readyAtMs, draft.nowMs, STABLE_MS);
  own<MoldsPart>(draft).moldDeathsInARow = stable ? 1 : state.moldDeathsInARow + 1;
  const pause = pauseMs(state.moldDeathsInARow, RESTART_PAUSES);
  startNextAfter(draft, pause, mold.rejectedPolicies);
  log(
    draft,
    'error',
    `The mold of generation ${mold.generation} ${how}; workers keep serving,` +
      ` a new mold is started in ${(pause / 1000).toFixed(1)} s`,
  );
}

/** The serving generation has no mold: another one is to be started after this pause. */
export function startNextAfter(draft: Draft, afterMs: number, rejected: MoldState['rejectedPolicies']): void {
  own<MoldsPart>(draft).nextMold = { atMs: draft.nowMs + afterMs, rejectedPolicies: rejected };
}

/** Starts the successor of a dead mold when its pause is over. */
export function startNextWhenDue(draft: Draft): void {
  const { nextMold } = draft.state;
  // A rollout brings its own mold.
  if (nextMold === null || draft.state.rollout !== null) return;
  if (draft.nowMs < nextMold.atMs) {
    draft.actions.push({ do: 'wake', atMs: nextMold.atMs });
    return;
  }
  own<MoldsPart>(draft).nextMold = null;
  // A dead mold that had been a worker may leave an older mold with threads: the new mold starts the same threads.
  tellThreads(draft, 'pause_threads');
  own<MoldsPart>(draft).generation = start(draft, nextMold.rejectedPolicies, 'replacement');
}

/** Makes this the serving generation. Its mold has forked a herd: earlier deaths say nothing of it. */
export function serveFrom(draft: Draft, generation: number): void {
  const part = own<MoldsPart>(draft);
  part.generation = generation;
  part.nextMold = null;
  part.moldDeathsInARow = 0;
}

/** The herd stops, and this mold with it. */
export function leaves(draft: Draft, generation: number): void {
  const mold = own<MoldsPart>(draft).molds[generation];
  if (mold !== undefined) mold.phase = 'leaving';
}

/** The keeper is gone, and with it all molds and listeners. */
export function startAfresh(draft: Draft): void {
  const part = own<MoldsPart>(draft);
  part.molds = {};
  part.nextMold = null;
  part.listeners = null;
}
