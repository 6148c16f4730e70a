/**
 * All of the supervisor's policy: `decide(state, event) → actions`, pure, over plain data.
 *
 * src/supervisor/run.ts carries the actions out. Times are milliseconds of the supervisor's monotonic clock.
 */
import { PROTOCOL_VERSION, type KeeperMessage, type MoldMessage, type WorkerMessage } from '../../agent/messages.ts';
import * as cut from './processes/cut-requests.ts';
import { log, own, type Answer, type Draft } from '../herd/draft.ts';
import { describeEnding, exitCounters } from '../herd/endings.ts';
import type { Action, DeathNotes, ExitCounters, HerdEvent } from '../herd/events.ts';
import type { Ending, GuardPart, HerdState, MoldState } from '../herd/state.ts';
import * as adoption from './generations/adoption.ts';
import * as heal from './upkeep/heal.ts';
import { withCall } from '../herd/guard-calls.ts';
import * as keepers from './generations/keepers.ts';
import * as predecessor from '../herd/predecessor.ts';
import * as stopping from './processes/stopping.ts';
import * as stopSteps from './processes/stop-steps.ts';
import * as molds from './processes/molds.ts';
import * as recycling from './upkeep/recycling.ts';
import * as refork from './upkeep/refork.ts';
import type { ProcessTotals } from '../herd/tallies.ts';
import * as rollout from './generations/rollout.ts';
import { takeUpDelayedReload } from './generations/rollout-requests.ts';
import * as tallying from './processes/tallying.ts';
import * as timeouts from './processes/timeouts.ts';
import * as workers from './processes/workers.ts';
import { asked } from './requests.ts';

export interface Decision {
  state: HerdState;
  actions: Action[];
  /** The answer to a request; `null` after any other event. */
  answer: Answer | null;
}

export function decide(before: HerdState, event: HerdEvent, nowMs: number): Decision {
  if (before.phase === 'ended') return { state: before, actions: [], answer: null };
  const state = event.type === 'adopted' ? adoption.firstState(event, nowMs) : structuredClone(before);
  const draft: Draft = { state, nowMs, actions: [], answer: null };
  apply(draft, event);
  if (draft.state.phase === 'stopping') {
    stopSteps.advance(draft);
  } else if (draft.state.phase === 'starting') {
    keepers.startNextWhenDue(draft);
  } else if (draft.state.phase === 'serving') {
    rollout.advance(draft);
    takeUpDelayedReload(draft);
    molds.startNextWhenDue(draft);
    workers.drainReplaced(draft);
    workers.fillHerd(draft);
    workers.shrinkHerd(draft);
  }
  return { state: draft.state, actions: draft.actions, answer: draft.answer };
}

function apply(draft: Draft, event: HerdEvent): void {
  const { state } = draft;
  switch (event.type) {
    case 'keeper_says':
      keeperSays(draft, event);
      return;
    case 'keeper_spawn_failed':
      stopping.end(draft, event.code, event.detail);
      return;
    case 'pidfile_failed':
      // After a reload: a serving herd does not end because of a pid file.
      if (state.phase === 'serving') log(draft, 'error', `No pid file was written: ${event.code}: ${event.detail}`);
      else stopping.fail(draft, event.code, event.detail);
      return;
    case 'protocol_error':
      stopping.fail(draft, 'PROTOCOL_MISMATCH', event.detail);
      return;
    case 'keeper_exited':
      keepers.exited(draft, event);
      return;
    case 'orphans_gone':
      keepers.orphansGone(draft, event);
      return;
    case 'adopted':
      adoption.adopt(draft, event);
      return;
    case 'merging_failed':
      heal.couldNotStart(draft, event.reason);
      return;
    case 'tick':
      keepers.tick(draft);
      lookAtDeadlines(draft, event);
      refork.tick(draft, event.memory);
      heal.tick(draft, event.memory, event.merging);
      return;
    case 'woken':
      lookAtDeadlines(draft, event);
      return;
    case 'stop_requested':
    case 'scale':
    case 'scale_to':
    case 'reload_requested':
    case 'rollback_requested':
    case 'refork_requested':
    case 'merge_requested':
    case 'replace_requested':
    case 'reopen_logs':
      asked(draft, event);
      return;
  }
}

/** Handles everything that can come due between two ticks. */
function lookAtDeadlines(draft: Draft, { heartbeats, memory }: Extract<HerdEvent, { type: 'tick' | 'woken' }>): void {
  workers.look(draft, heartbeats);
  timeouts.look(draft, heartbeats);
  recycling.look(draft, heartbeats, memory);
  molds.look(draft);
}

function keeperSays(draft: Draft, { message, death, retired }: Extract<HerdEvent, { type: 'keeper_says' }>): void {
  switch (message.type) {
    case 'keeper_ready':
      keeperReady(draft, message);
      return;
    case 'keeper_failed':
      stopping.end(draft, message.code, message.detail);
      return;
    case 'mold_started':
      molds.started(draft, message.generation, message.pid);
      return;
    case 'listening':
      molds.listening(draft, message.generation, message.listeners);
      return;
    case 'listen_failed':
      moldFailed(draft, message.generation, message.code, `${message.address} (${message.reason})`);
      return;
    case 'process_exited':
      processExited(draft, message, death);
      return;
    case 'from_mold':
      moldSays(draft, message.generation, message.message);
      return;
    case 'worker_forked':
      workers.forked(draft, message.generation, message.slot, message.pid);
      return;
    case 'from_worker':
      workerSays(draft, message.pid, message.message, retired);
      return;
    case 'bad_message':
      badMessage(draft, message);
      return;
    case 'command_failed':
      commandFailed(draft, message);
      return;
    case 'pulse':
      keepers.answered(draft, message.queues);
      return;
    case 'borrowed':
    case 'borrow_failed':
    case 'taken_over':
    case 'lender_gone':
      successionSays(draft, message);
      return;
    case 'signal_failed':
    case 'keeper_leaving':
      // The process had already ended; its process_exited arrives separately.
      return;
    case 'inventory':
    case 'looked':
    case 'refused':
      // Sent only on the keeper's adoption socket (src/agent/adoption-socket.ts), never to its supervisor.
      return;
  }
}

/** Handles the keeper's messages about a predecessor, whose listeners it borrows. */
function successionSays(
  draft: Draft,
  message: Extract<KeeperMessage, { type: 'borrowed' | 'borrow_failed' | 'taken_over' | 'lender_gone' }>,
): void {
  switch (message.type) {
    case 'borrowed':
      predecessor.lent(draft);
      return;
    case 'borrow_failed':
      stopping.fail(draft, message.code, message.detail);
      return;
    case 'taken_over':
      keepers.tellAdoptionProblem(draft, message.adoption_problem);
      return;
    case 'lender_gone':
      predecessor.ended(draft);
      return;
  }
}

function keeperReady(
  draft: Draft,
  { pid, protocol, adoption_problem }: Extract<KeeperMessage, { type: 'keeper_ready' }>,
): void {
  keepers.ready(draft, pid, adoption_problem ?? null);
  if (protocol !== PROTOCOL_VERSION) {
    const detail = `the keeper speaks version ${protocol}, the supervisor ${PROTOCOL_VERSION}`;
    stopping.fail(draft, 'PROTOCOL_MISMATCH', detail);
  } else if (draft.state.phase === 'starting') molds.startFirst(draft);
}

function processExited(
  draft: Draft,
  message: Extract<KeeperMessage, { type: 'process_exited' }>,
  death: DeathNotes | undefined,
): void {
  const { pid, exit_status, signal, counters: words, minor_faults, major_faults } = message;
  const ending = { exitStatus: exit_status, signal, outOfMemory: death?.outOfMemory ?? null };
  draft.actions.push({ do: 'forget_process', pid });
  const mold = molds.exited(draft, pid);
  const faults = { minorFaults: minor_faults, majorFaults: major_faults };
  const counters = words === null ? undefined : { ...exitCounters(words), ...faults };
  if (mold === null) workerExited(draft, pid, ending, counters, death?.stack ?? null);
  else {
    moldExited(draft, mold, ending);
  }
}

function moldSays(draft: Draft, generation: number, message: MoldMessage): void {
  switch (message.type) {
    case 'configured':
      molds.configured(draft, generation, message);
      return;
    case 'progress':
      // Shown by the terminal's progress line (src/supervisor/progress.ts); nothing to decide.
      return;
    case 'mold_ready':
      molds.ready(draft, generation, message);
      rollout.moldReady(draft, generation);
      return;
    case 'mold_failed':
      moldFailed(draft, generation, message.code, message.detail);
      return;
    case 'mold_finished':
      moldFinished(draft, generation, message);
      return;
    case 'policy_rejected':
      molds.policyRejected(draft, generation, message.policy, message.reason);
      return;
    case 'notice':
      log(draft, message.level, message.text);
      return;
    case 'fork_failed':
      workers.forkFailed(draft, message.slot, message.reason);
      rollout.forkFailed(draft, generation, message.reason);
      return;
  }
}

function workerSays(draft: Draft, pid: number, message: WorkerMessage, retired: ProcessTotals | undefined): void {
  switch (message.type) {
    case 'worker_ready':
      workers.ready(draft, pid);
      rollout.workerReady(draft, pid);
      return;
    case 'retired':
      rollout.retired(draft, pid, message.requests_finished, retired);
      return;
    case 'retire_refused':
      rollout.retireRefused(draft, pid, message.reason);
      return;
    case 'worker_failed':
      workers.failing(draft, pid, message.code, message.detail);
      return;
    case 'in_flight':
      cut.told(draft, pid, message.requests, message.response_errors);
      return;
    case 'notice':
      log(draft, message.level, message.text);
      return;
    case 'guard': {
      own<GuardPart>(draft).guardCalls = withCall(draft.state.guardCalls, message);
      const what = message.held ? 'held off' : 'seen';
      log(
        draft,
        'warning',
        `Guard: gc.${message.function}() of ${message.package} ${what} in worker ${pid}` +
          ` (${message.file}:${message.line})`,
      );
      return;
    }
  }
}

/** The keeper has dropped a message. A worker that sends anything unknown can't be trusted, so it is replaced. */
function badMessage(draft: Draft, { pid, generation, reason }: Extract<KeeperMessage, { type: 'bad_message' }>): void {
  if (pid !== null && draft.state.workers[pid] !== undefined) {
    log(draft, 'error', `Worker ${pid} sent a message that was dropped (${reason}); the worker is replaced`);
    workers.replace(draft, pid, 'it sent a message that was dropped');
    return;
  }
  const who = pid === null ? '' : ` (pid ${pid})`;
  log(draft, 'error', `The mold of generation ${generation}${who} sent a message that was dropped (${reason})`);
}

/** A command that the keeper could not carry out costs the mold that it was for, and nobody else. */
function commandFailed(draft: Draft, failed: Extract<KeeperMessage, { type: 'command_failed' }>): void {
  const { command, generation, reason } = failed;
  if (generation !== null && command === 'start_mold') moldNotStarted(draft, generation, reason);
  else if (generation !== null && command === 'listen') {
    moldFailed(draft, generation, 'ADDRESS_UNAVAILABLE', reason);
  } else if (generation !== null && command === 'adopt_mold') {
    moldFailed(draft, generation, 'MOLD_NOT_STARTED', reason);
  } else if (command === 'borrow') stopping.fail(draft, 'INTERNAL', `the listeners could not be borrowed: ${reason}`);
  else log(draft, 'error', `The keeper could not carry out the command ${command}: ${reason}`);
}

function moldNotStarted(draft: Draft, generation: number, reason: string): void {
  const mold = molds.notStarted(draft, generation, reason);
  if (mold === null) return;
  if (rollout.moldLost(draft, generation, `could not be started: ${reason}`)) return;
  if (generation === draft.state.generation) molds.replaceNotStarted(draft, mold, reason);
}

/** The mold's settings ask for no herd: they print something, or restart it in the background. */
function moldFinished(
  draft: Draft,
  generation: number,
  { daemonize, status }: Extract<MoldMessage, { type: 'mold_finished' }>,
): void {
  if (draft.state.phase !== 'starting') {
    const what = daemonize ? 'daemon' : 'print_config, check_config, or a call of sys.exit';
    moldFailed(
      draft,
      generation,
      'INVALID_SETTING',
      `${what} ends the process: possible at the start, not in a reload`,
    );
    return;
  }
  if (daemonize) draft.actions.push({ do: 'daemonize' });
  stopping.finish(draft, status);
}

function moldFailed(draft: Draft, generation: number, code: string, detail: string): void {
  molds.failed(draft, generation, code, detail);
  rollout.moldLost(draft, generation, `failed: ${code}: ${detail}`);
}

function moldExited(draft: Draft, mold: MoldState, ending: Ending): void {
  const { state } = draft;
  if (state.phase === 'stopping') return;
  if (mold.phase === 'ready') tallying.moldDied(draft);
  const how = `(pid ${mold.pid}) ${describeEnding(ending)} while it was ${mold.phase}`;
  if (rollout.moldLost(draft, mold.generation, how)) return;
  if (mold.generation === state.generation) molds.replaceEnded(draft, mold, ending);
  else if (mold.threads > 0 && mold.phase === 'ready') {
    log(
      draft,
      'error',
      `The mold of generation ${mold.generation} ${how}; the application's threads in it are lost.` +
        ' `cowherd reload` starts them again',
    );
  }
}

function workerExited(
  draft: Draft,
  pid: number,
  ending: Ending,
  counters: ExitCounters | undefined,
  stack: string | null,
): void {
  timeouts.tellLastStack(draft, draft.state.workers[pid], ending, stack);
  cut.tellLost(draft, draft.state.workers[pid], counters);
  const worker = workers.exited(draft, pid, ending, counters);
  if (worker === null) return;
  if (!workers.leftByItself(worker, ending)) tallying.workerDied(draft, worker, ending);
  if (rollout.workerDied(draft, worker, `${describeEnding(ending)}${workers.whyOf(worker)}`)) return;
  workers.replaceEnded(draft, worker, ending, counters);
}
