/**
 * Decisions about adoption: a supervisor takes over the herd of a dead one.
 *
 * The keeper's inventory tells which processes exist and how far each has come: it is the truth. Facts that only the
 * dead supervisor knew are in its herd file (src/supervisor/runtime-directory/herd-file.ts), which may be a moment old,
 * or missing.
 */
import type { Inventory } from '../../../agent/messages.ts';
import { log, type Draft } from '../../herd/draft.ts';
import { describeEnding } from '../../herd/endings.ts';
import type { Adoption } from '../../herd/events.ts';
import * as molds from '../processes/molds.ts';
import * as rollout from './rollout.ts';
import * as phase from '../processes/herd-phase.ts';
import { initialState, type Ending, type HerdState, type MoldState, type WorkerState } from '../../herd/state.ts';
import * as tallying from '../processes/tallying.ts';
import * as workerRecords from '../processes/worker-records.ts';
import * as workers from '../processes/workers.ts';

/** The state that an adopted herd begins with, before {@link adopt} takes up its processes. */
export function firstState(adoption: Adoption, nowMs: number): HerdState {
  const saved = savedState(adoption);
  return { ...initialState(), ...structuredClone(saved), ...beginning(adoption.inventory, saved, nowMs) };
}

/** The file of another keeper describes another herd. */
function savedState({ saved, inventory }: Adoption): HerdState | null {
  return saved?.keeperPid === inventory.pid ? saved : null;
}

export function adopt(draft: Draft, adoption: Adoption): void {
  const { state } = draft;
  const { inventory, rows } = adoption;
  const saved = savedState(adoption);

  for (const found of inventory.molds) takeMold(draft, found, adoption, saved?.molds[found.generation]);
  for (const found of inventory.workers) takeWorker(draft, found, saved?.workers[found.pid]);
  takeSettings(draft, inventory, saved);

  tellOfIt(draft, adoption);
  const endings = new Map<number, Ending>(
    inventory.endings.map((each) => [each.pid, { exitStatus: each.exit_status, signal: each.signal }]),
  );
  if (saved !== null) {
    followDeadWorkers(draft, saved, rows, endings);
    followDeadMolds(draft, saved, endings);
  }
  continueRollout(draft, inventory);
  takeUpReadiness(draft, adoption);
  replaceServingMold(draft, inventory);
  letUnknownMoldsGo(draft);
  // Threads may be paused for a reload that is forgotten.
  if (state.rollout === null) molds.tellThreads(draft, 'resume_threads');
  workers.announceWhenComplete(draft);
}

/** The values that an adopted herd begins with, whatever the file says. */
function beginning(inventory: Inventory, saved: HerdState | null, nowMs: number): Partial<HerdState> {
  const found = [...inventory.molds, ...inventory.workers].map(({ generation }) => generation);
  return {
    phase: 'serving',
    generation: saved?.generation ?? servingGeneration(inventory),
    newestGeneration: Math.max(saved?.newestGeneration ?? 0, ...found),
    // Makes useSettings write the pid file again.
    settings: null,
    keeperPid: inventory.pid,
    keeperReadyAtMs: saved?.keeperReadyAtMs ?? nowMs,
    keeperPulse: { heardAtMs: nowMs, isSilent: false, queues: [] },
    listeners: null,
    molds: {},
    workers: {},
    forking: {},
    announcedReady: false,
    deathsInARow: 0,
    forkNotBeforeMs: 0,
    afresh: null,
    // The herd was stopping, and is to serve again now.
    stop: null,
    // The supervisor that had this predecessor has told it to leave.
    predecessor: null,
  };
}

function tellOfIt(draft: Draft, adoption: Adoption): void {
  const { inventory } = adoption;
  log(
    draft,
    'info',
    `Adopted the herd of supervisor ${adoption.supervisorPid ?? '?'}: ${inventory.workers.length} workers,` +
      ` ${inventory.molds.length} molds`,
  );
  if (adoption.isOtherwiseStarted) {
    log(
      draft,
      'warning',
      'The herd keeps the arguments that it was started with; `cowherd reload` applies those of this command',
    );
  }
}

/** Takes up molds and workers that became ready while there was no supervisor. */
function takeUpReadiness(draft: Draft, { inventory, rows }: Adoption): void {
  const { state } = draft;
  for (const { generation, ready } of inventory.molds) {
    if (ready === null || state.molds[generation]?.phase !== 'loading') continue;
    molds.ready(draft, generation, ready);
    rollout.moldReady(draft, generation);
  }
  for (const worker of Object.values(state.workers)) {
    if (worker.phase !== 'booting' || rows[worker.pid]?.isReady !== true) continue;
    workers.ready(draft, worker.pid);
    rollout.workerReady(draft, worker.pid);
  }
}

function replaceServingMold(draft: Draft, inventory: Inventory): void {
  const { state } = draft;
  const current = state.molds[state.generation];
  if (current === undefined || current.phase === 'leaving' || current.phase === 'failed') {
    if (state.nextMold === null) molds.startNextAfter(draft, 0, current?.rejectedPolicies ?? []);
  } else if (current.phase !== 'ready' && inventory.workers.length === 0) {
    // Nothing serves yet, and the loading mold may still fail.
    phase.startAgain(draft);
  }
}

function letUnknownMoldsGo(draft: Draft): void {
  const { state } = draft;
  const current = state.molds[state.generation];
  const used = new Set([state.generation, state.previous?.generation, state.rollout?.to]);
  for (const mold of Object.values(state.molds)) {
    const { generation, pid, phase } = mold;
    if (used.has(generation) || phase === 'leaving' || phase === 'failed') continue;
    // After a refork, the threads keep running in the mold that loaded the application.
    if (mold.threads > 0 && generation < state.generation && !(current !== undefined && current.threads > 0)) continue;
    log(draft, 'warning', `Ending the mold of generation ${generation} (pid ${pid}): nothing uses it`);
    molds.dismiss(draft, generation);
  }
}

type FoundMold = Inventory['molds'][number];
type FoundWorker = Inventory['workers'][number];

function takeMold(draft: Draft, found: FoundMold, { inventory }: Adoption, before: MoldState | undefined): void {
  const { generation, pid, configured, ready } = found;
  const listeners = inventory.listeners.find((each) => each.generation === generation)?.names ?? null;
  const mold: MoldState = { ...molds.newMold(generation, draft.nowMs, []), ...before, pid, listeners };
  // The keeper may have missed the dead supervisor's last decision.
  if (ready !== null) draft.actions.push({ do: 'set_background', pid, background: false });
  molds.add(draft, mold);
  draft.actions.push({ do: 'watch_process', pid, role: 'mold', generation });
  for (const slot of found.forking) workerRecords.order(draft, slot, generation);
  if (mold.phase === 'leaving' || mold.phase === 'failed' || configured === null) return;
  const { settings, remarks } = configured;
  const wasReady = ready !== null && mold.phase === 'ready';
  const threads = ready?.threads ?? mold.threads;
  molds.add(draft, { ...mold, settings, remarks, threads, phase: wasReady ? 'ready' : 'loading' });
  if (wasReady) return;
  if (!found.has_listeners) draft.actions.push({ do: 'listen', generation, settings: configured.settings });
}

function takeWorker(draft: Draft, found: FoundWorker, before: WorkerState | undefined): void {
  const { pid, slot, generation } = found;
  const forkedAtMs = found.forked_monotonic_ns / 1e6;
  const worker: WorkerState = { ...workers.newWorker(pid, slot, generation, forkedAtMs), ...before, slot, generation };
  draft.actions.push({ do: 'watch_process', pid, role: 'worker', generation });
  // A worker told to become a mold no longer serves. It is killed when it waits for its order, or when the graceful
  // timeout is over.
  const isRetiring = worker.phase === 'retiring';
  const drainedAtMs = worker.drainedAtMs ?? draft.nowMs;
  workerRecords.add(draft, isRetiring ? { ...worker, phase: 'draining', drainedAtMs } : worker);
}

/** Without a file: the newest generation with a ready mold, else with workers, else any. */
function servingGeneration({ molds: found, workers: herd }: Inventory): number {
  const newest = (generations: number[]): number => Math.max(0, ...generations);
  return (
    newest(found.filter(({ ready }) => ready !== null).map(({ generation }) => generation)) ||
    newest(herd.map(({ generation }) => generation)) ||
    newest(found.map(({ generation }) => generation))
  );
}

function takeSettings(draft: Draft, { listeners }: Inventory, saved: HerdState | null): void {
  const { state } = draft;
  const settings = saved?.settings ?? state.molds[state.generation]?.settings ?? null;
  if (saved === null) {
    const ofGeneration = Object.values(state.workers).filter(({ generation }) => generation === state.generation);
    workerRecords.want(draft, Math.max(1, settings?.workers ?? ofGeneration.length));
  }
  if (settings !== null) molds.useSettings(draft, settings);
  const names = listeners.find(({ generation }) => generation === state.generation)?.names;
  if (names !== undefined) molds.useListeners(draft, names);
}

const MEANWHILE = 'while there was no supervisor';

function followDeadWorkers(
  draft: Draft,
  saved: HerdState,
  rows: Adoption['rows'],
  endings: ReadonlyMap<number, Ending>,
): void {
  const { state } = draft;
  const moldPids = new Set(Object.values(state.molds).map((mold) => mold.pid));
  for (const worker of Object.values(saved.workers)) {
    const { pid, slot, generation } = worker;
    if (state.workers[pid] !== undefined) continue;
    const row = rows[pid];
    workerRecords.countGone(draft, row?.requestsFinished ?? worker.requestsFinished);
    tallying.workerGone(draft, slot, row);
    // The worker has retired since, and is a mold now.
    if (moldPids.has(pid)) continue;
    const ending = endings.get(pid) ?? { exitStatus: null, signal: null };
    const mold = state.molds[generation];
    if (mold?.phase === 'ready') {
      const message = { type: 'worker_exited', pid, exit_status: ending.exitStatus, signal: ending.signal } as const;
      draft.actions.push({ do: 'tell_mold', generation, message });
    }
    if (worker.phase === 'draining' || worker.phase === 'retiring') continue;
    const inFlight = row === undefined ? 0 : Math.max(0, row.requestsStarted - row.requestsFinished);
    const lost = inFlight === 0 ? '' : `, with ${inFlight} request(s) in flight`;
    const how = `${describeEnding(ending)} ${MEANWHILE}`;
    log(draft, ending.exitStatus === 0 ? 'info' : 'error', `Worker ${pid} (slot ${slot}) ${how}${lost}`);
    rollout.workerDied(draft, worker, how);
  }
}

function followDeadMolds(draft: Draft, saved: HerdState, endings: ReadonlyMap<number, Ending>): void {
  const { state } = draft;
  for (const mold of Object.values(saved.molds)) {
    const { generation, pid } = mold;
    if (state.molds[generation] !== undefined) continue;
    const how = `${describeEnding(endings.get(pid ?? 0) ?? { exitStatus: null, signal: null })} ${MEANWHILE}`;
    if (pid !== null && mold.phase !== 'leaving') {
      log(draft, 'error', `The mold of generation ${generation} (pid ${pid}) ${how}`);
    }
    if (rollout.moldLost(draft, generation, how)) continue;
    if (generation !== state.generation) continue;
    molds.startNextAfter(draft, 0, mold.rejectedPolicies);
  }
}

/**
 * Continues a rollout whose new mold exists, and aborts any other: the order for a worker that was to become the mold
 * is lost.
 */
function continueRollout(draft: Draft, inventory: Inventory): void {
  const under = draft.state.rollout;
  if (under === null) return;
  const hasMold = inventory.molds.some(({ generation }) => generation === under.to);
  // A worker that was told to retire finishes its requests, and is killed when it waits for its order.
  const isTold = under.retiring !== null && under.retiring.toldAtMs !== null;
  if (hasMold || isTold) rollout.retiringIsOver(draft);
  if (!hasMold) rollout.abort(draft, 'the supervisor ended before the new mold was started');
}
