/** Decisions about molds: starting one, taking it into use, and what its end means. */
import type { MoldMessage } from '../agent/messages.ts';
import { log, type Draft } from './draft.ts';
import { describeEnding } from './endings.ts';
import type { Ending, MoldState } from './state.ts';
import * as stopping from './stopping.ts';

type Configured = Extract<MoldMessage, { type: 'configured' }>;
type Ready = Extract<MoldMessage, { type: 'mold_ready' }>;

const SIGKILL = 9;

/** A mold that serves and dies is replaced after this pause, doubled with each death in a row, up to the longest. */
const RESTART_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/** A mold that was ready for this long ends a row of deaths. */
const STABLE_MS = 10_000;

export function start(draft: Draft, rejected: MoldState['rejectedPolicies']): void {
  const { state } = draft;
  state.generation += 1;
  state.molds[state.generation] = {
    generation: state.generation,
    pid: null,
    phase: 'starting',
    policy: null,
    remarks: [],
    report: {},
    startedAtMs: draft.nowMs,
    readyAtMs: null,
    rejectedPolicies: rejected,
  };
  draft.actions.push({ do: 'start_mold', generation: state.generation, rejected });
}

export function started(draft: Draft, generation: number, pid: number): void {
  const mold = draft.state.molds[generation];
  if (mold === undefined) return;
  mold.pid = pid;
  draft.actions.push({ do: 'watch_process', pid, role: 'mold', generation });
  if (draft.state.phase === 'stopping') {
    draft.actions.push({ do: 'signal', pid, signal: SIGKILL });
  }
}

export function configured(draft: Draft, generation: number, message: Configured): void {
  const { state } = draft;
  const mold = state.molds[generation];
  if (mold === undefined || state.phase === 'stopping') return;
  mold.phase = 'loading';
  mold.remarks = message.remarks;
  const first = state.settings === null;
  state.settings = message.settings;
  for (const { policy, reason } of message.remarks) {
    log(draft, 'info', `Heap policy ${policy} is not used: ${reason}`);
  }
  if (!first) {
    // A mold started anew, after a rejected policy or a death: the listeners are there.
    if (state.listeners !== null) draft.actions.push({ do: 'give_listeners', generation });
    return;
  }
  state.target = Math.max(1, message.settings.workers);
  log(
    draft,
    'info',
    `Serving ${message.settings.app || 'the application'} with gunicorn ${message.gunicorn_version}` +
      ` (${message.settings.worker_class}) on Python ${message.python_version}`,
  );
  draft.actions.push({ do: 'listen' });
  if (message.settings.pidfile !== null) {
    draft.actions.push({ do: 'write_pidfile', path: message.settings.pidfile });
  }
}

export function ready(draft: Draft, generation: number, message: Ready): void {
  const { state } = draft;
  const mold = state.molds[generation];
  if (mold === undefined || state.phase === 'stopping') return;
  mold.phase = 'ready';
  mold.policy = message.policy;
  mold.report = message.report;
  mold.readyAtMs = draft.nowMs;
  state.phase = 'serving';
  const secondsTaken = ((draft.nowMs - mold.startedAtMs) / 1000).toFixed(1);
  const asked = message.asked_policy === message.policy ? '' : ` (${message.asked_policy})`;
  log(draft, 'info', `Mold ${generation} is ready after ${secondsTaken} s: heap policy ${message.policy}${asked}`, {
    report: message.report,
  });
}

export function failed(draft: Draft, generation: number, code: string, detail: string): void {
  const { state } = draft;
  const mold = state.molds[generation];
  if (mold === undefined) return;
  mold.phase = 'failed';
  if (state.phase === 'starting') {
    stopping.fail(draft, code, detail);
    return;
  }
  log(draft, 'error', `Mold ${generation} failed: ${code}: ${detail}`);
}

export function policyRejected(draft: Draft, generation: number, policy: string, reason: string): void {
  const mold = draft.state.molds[generation];
  if (mold === undefined) return;
  mold.rejectedPolicies.push({ policy, reason });
  mold.phase = 'starting';
  log(draft, 'warning', `Heap policy ${policy} failed its self-test, trying the next one: ${reason}`);
}

/** True when the process was a mold. */
export function exited(draft: Draft, pid: number, ending: Ending): boolean {
  const { state } = draft;
  const mold = Object.values(state.molds).find((each) => each.pid === pid);
  if (mold === undefined) return false;
  const phase = mold.phase;
  delete state.molds[mold.generation];
  if (state.phase === 'stopping') return true;
  const how = describeEnding(ending);
  // Forks that it was asked for will never be answered.
  state.forking = {};
  if (state.phase === 'starting') {
    const outOfMemory = ending.signal === SIGKILL;
    stopping.fail(
      draft,
      outOfMemory ? 'MOLD_OUT_OF_MEMORY' : 'MOLD_DIED',
      outOfMemory
        ? `the mold (pid ${pid}) was killed while it loaded, most likely because memory ran out`
        : `the mold (pid ${pid}) ${how} while it was ${phase}`,
    );
    return true;
  }
  const stable = mold.readyAtMs !== null && draft.nowMs - mold.readyAtMs >= STABLE_MS;
  state.moldDeathsInARow = stable ? 1 : state.moldDeathsInARow + 1;
  const pauseMs = Math.min(RESTART_PAUSE_MS * 2 ** (state.moldDeathsInARow - 1), LONGEST_PAUSE_MS);
  state.nextMold = {
    atMs: draft.nowMs + pauseMs,
    rejectedPolicies: mold.rejectedPolicies,
  };
  log(
    draft,
    'error',
    `The mold of generation ${mold.generation} (pid ${pid}) ${how}; workers serve on,` +
      ` a new mold is made in ${(pauseMs / 1000).toFixed(1)} s`,
  );
  return true;
}

/** For gunicorn's `nworkers_changed` hook, which runs in the mold. */
export function tellWorkersWanted(draft: Draft): void {
  for (const mold of Object.values(draft.state.molds)) {
    if (mold.pid === null || mold.phase !== 'ready') continue;
    draft.actions.push({
      do: 'tell_mold',
      generation: mold.generation,
      message: { type: 'workers_wanted', count: draft.state.target },
    });
  }
}

/** Starts the mold that follows a dead one, when its pause is over. */
export function startNextWhenDue(draft: Draft): void {
  const { nextMold } = draft.state;
  if (nextMold === null) return;
  if (draft.nowMs < nextMold.atMs) {
    draft.actions.push({ do: 'wake', atMs: nextMold.atMs });
    return;
  }
  draft.state.nextMold = null;
  start(draft, nextMold.rejectedPolicies);
}
