/**
 * Recycling: decides at each look which workers to replace because of their memory, requests or age.
 *
 * A worker is only marked here (`workers.replace`); it drains when its replacement is ready, so capacity never falls. A
 * rule therefore acts at a look, not at the exact request or byte.
 *
 * A rule that every new worker breaks at once would recycle forever and win nothing (Celery's loop with
 * `worker_max_memory_per_child` below a worker's minimum). Such a rule is stopped, with an error, until the next
 * generation or another limit.
 */
import type { Settings } from '../../../agent/messages.ts';
import { bytes, formatCount, formatMiB } from '../../../base/units.ts';
import { log, own, type Draft } from '../../herd/draft.ts';
import type { Heartbeat, HerdReading, WorkerReading } from '../../herd/events.ts';
import { herdBudget, largestWorker } from './herd-budget.ts';
import { jitterOf } from '../../rules/jitter.ts';
import {
  MEMORY_RULES,
  newMemoryWatch,
  newWatch,
  type MemoryRule,
  type RecycleRule,
  type RecycleWatch,
} from '../../rules/recycling-state.ts';
import { currentMold, type HerdState, type RecyclingPart, type WorkerState } from '../../herd/state.ts';
import * as workers from '../processes/workers.ts';
import type { Writable } from '../../herd/writable.ts';

/** The part of the herd that may wait for its replacements at once. */
const MARKED_PART = 0.1;
/** The part of the herd that may be leaving in all, including workers that finish their requests. */
const LEAVING_PART = 0.25;

/** How long a due worker with requests in flight is spared; then it is recycled anyway. */
export const IDLE_WAIT_MS = 10_000;

/** A worker that exceeds a limit within this time, or after at most this many requests, exceeded it from its start. */
const FRESH_MS = 3000;
const FRESH_REQUESTS = 3;
/** After this many such workers in a row, the limit itself is the problem. */
const FRESH_IN_A_ROW = 3;

/** After a worker has left for the budget, no other is chosen before the effect shows. */
const HERD_SETTLE_MS = 5000;
/** A worker younger than this is still acquiring memory that every worker needs. */
const HERD_YOUNG_MS = 3000;

/** A worker that will reach its request limit before the next tick is looked at then. */
const TICK_MS = 1000;
const SHORTEST_WAKE_MS = 50;

const RAISE = 'Raise the limit and reload';

/** A worker, and why it should be replaced. */
interface Due {
  worker: WorkerState;
  rule: RecycleRule;
  because: string;
  dueSinceMs: number;
  isIdle: boolean;
}

/** At least once a second: counts each worker's readings, and marks the workers that are due. */
export function look(draft: Draft, heartbeats: readonly Heartbeat[], memory: HerdReading | undefined): void {
  const { state } = draft;
  const { settings } = state;
  if (settings === null) return;
  forget(draft);
  startRulesAnew(draft, settings);
  stopRulesWithoutSamples(draft, settings);
  const beats = new Map(heartbeats.map((beat) => [beat.pid, beat]));
  for (const look of memory?.workers ?? []) countSample(draft, settings, look, beats.get(look.pid));
  if (memory !== undefined) countHerd(draft, settings, memory);
  const due = Object.values(state.workers).flatMap((worker) => dueWorker(draft, settings, worker, beats) ?? []);
  if (!mayRecycle(draft)) return;
  const candidates = [...due, ...herdDue(draft, settings, memory, beats)]
    .filter(({ isIdle, rule, dueSinceMs }) => isIdle || rule === 'requests' || draft.nowMs - dueSinceMs >= IDLE_WAIT_MS)
    .toSorted((a, b) => Number(b.isIdle) - Number(a.isIdle) || a.dueSinceMs - b.dueSinceMs);
  for (const each of candidates) {
    if (room(state) <= 0) return;
    mark(draft, settings, each);
  }
}

/** How many workers may be marked now. */
function room(state: HerdState): number {
  const all = Object.values(state.workers);
  const waiting = all.filter((worker) => worker.replaceBecause !== null && worker.phase !== 'draining').length;
  const leaving = all.filter((worker) => worker.replaceBecause !== null).length;
  return Math.min(
    Math.max(1, Math.floor(state.target * MARKED_PART)) - waiting,
    Math.max(2, Math.floor(state.target * LEAVING_PART)) - leaving,
  );
}

/** Recycling needs a herd that is complete and at rest. */
function mayRecycle({ state, nowMs }: Draft): boolean {
  if (state.phase !== 'serving' || state.rollout !== null || state.crashLoop !== null) return false;
  if (currentMold(state) === null || nowMs < state.forkNotBeforeMs) return false;
  return Object.values(state.workers).filter((worker) => worker.phase === 'ready').length >= state.target;
}

function mark(draft: Draft, settings: Settings, { worker, rule, because }: Due): void {
  const { recycling } = own<RecyclingPart>(draft);
  // The previous worker may have stopped the rule.
  if (worker.replaceBecause !== null || isStopped(draft.state, rule)) return;
  if (isMemoryRule(rule)) {
    const watch = recycling.watches[worker.pid]?.memory[rule];
    const inARow = watch?.fresh === true ? recycling.freshInARow[rule] + 1 : 0;
    recycling.freshInARow[rule] = inARow;
    if (watch?.fresh === true && (!watch.wasUnder || inARow >= FRESH_IN_A_ROW)) {
      const who = watch.wasUnder
        ? `${inARow} workers in a row exceeded it as soon as they served`
        : `worker ${worker.pid} exceeded it from its start`;
      stop(draft, settings, rule, `${because}; ${who}, and every replacement would too. ${RAISE}`);
      return;
    }
  }
  if (rule === 'herd_memory') {
    const { herd } = recycling;
    if (herd.inARow >= draft.state.target) {
      stop(
        draft,
        settings,
        rule,
        `${because}; all ${herd.inARow} workers were replaced, and it is still over the limit. ${RAISE}`,
      );
      return;
    }
    herd.inARow += 1;
    herd.lastPid = worker.pid;
    herd.goneAtMs = null;
  }
  recycling.counts[rule] += 1;
  recycling.marked[worker.pid] = rule;
  log(draft, 'info', `Replacing worker ${worker.pid} (slot ${worker.slot}): ${because}`);
  workers.replace(draft, worker.pid, because);
}

function stop(draft: Draft, settings: Settings, rule: RecycleRule, because: string): void {
  const { recycling } = own<RecyclingPart>(draft);
  const { generation } = draft.state;
  recycling.stopped = [...recycling.stopped, { rule, because, generation, limit: limitOf(settings, rule) }];
  log(draft, 'error', `Recycling by ${settingOf(rule)} is stopped: ${because}`);
}

function isStopped(state: HerdState, rule: RecycleRule): boolean {
  return state.recycling.stopped.some((each) => each.rule === rule);
}

/** Another limit, or another generation, may do better. */
function startRulesAnew(draft: Draft, settings: Settings): void {
  const { generation } = draft.state;
  const { recycling } = own<RecyclingPart>(draft);
  recycling.stopped = recycling.stopped.filter(
    (each) => each.generation === generation && each.limit === limitOf(settings, each.rule),
  );
}

function stopRulesWithoutSamples(draft: Draft, settings: Settings): void {
  if (settings.sampling_budget_percent > 0) return;
  const rules = [...MEMORY_RULES, 'herd_memory' as const].filter((rule) => isOn(limitOf(settings, rule)));
  for (const rule of rules) {
    if (!isStopped(draft.state, rule)) stop(draft, settings, rule, 'sampling_budget is 0, so memory is not sampled');
  }
}

function forget(draft: Draft): void {
  const { state, nowMs } = draft;
  const { recycling } = own<RecyclingPart>(draft);
  for (const pid of Object.keys(recycling.watches).map(Number)) {
    if (state.workers[pid] === undefined) delete recycling.watches[pid];
  }
  for (const pid of Object.keys(recycling.marked).map(Number)) {
    // A mark can be withdrawn.
    if ((state.workers[pid]?.replaceBecause ?? null) === null) delete recycling.marked[pid];
  }
  const { herd } = recycling;
  if (herd.lastPid !== null && state.workers[herd.lastPid] === undefined) {
    herd.lastPid = null;
    herd.goneAtMs = nowMs;
  }
}

function watchOf(draft: Draft, pid: number): Writable<RecycleWatch> {
  return (own<RecyclingPart>(draft).recycling.watches[pid] ??= newWatch(draft.nowMs));
}

function countSample(draft: Draft, settings: Settings, look: WorkerReading, beat: Heartbeat | undefined): void {
  const worker = draft.state.workers[look.pid];
  // A sample taken before the worker served says nothing about it.
  if (worker === undefined || worker.readyAtMs === null || look.sampledAtMs < worker.readyAtMs) return;
  const watch = watchOf(draft, look.pid);
  if (look.sampledAtMs <= watch.sampledAtMs) return;
  watch.sampledAtMs = look.sampledAtMs;
  for (const rule of MEMORY_RULES) {
    const limit = limitOf(settings, rule);
    if (watch.memory[rule].limit !== limit) watch.memory[rule] = { ...newMemoryWatch(), limit };
    const memory = watch.memory[rule];
    memory.latest = look[rule];
    if (!isOn(limit)) {
      memory.over = 0;
    } else if (look[rule] <= Number(limit)) {
      memory.over = 0;
      memory.wasUnder = true;
    } else {
      memory.over += 1;
      if (memory.over > 1) continue;
      const soon = look.sampledAtMs - worker.readyAtMs <= FRESH_MS;
      memory.fresh = soon || (beat !== undefined && beat.requestsFinished <= FRESH_REQUESTS);
    }
  }
}

function dueWorker(
  draft: Draft,
  settings: Settings,
  worker: WorkerState,
  beats: ReadonlyMap<number, Heartbeat>,
): Due | null {
  if (worker.phase !== 'ready') return null;
  const watch = watchOf(draft, worker.pid);
  const beat = beats.get(worker.pid);
  const reason = reasonOf(draft, settings, worker, watch, beat);
  if (beat !== undefined) watch.requests = { finished: beat.requestsFinished, atMs: draft.nowMs };
  if (reason === null) {
    watch.dueSinceMs = null;
    return null;
  }
  watch.dueSinceMs ??= draft.nowMs;
  return { worker, ...reason, dueSinceMs: watch.dueSinceMs, isIdle: beat === undefined || beat.inFlight === 0 };
}

function reasonOf(
  draft: Draft,
  settings: Settings,
  worker: WorkerState,
  watch: RecycleWatch,
  beat: Heartbeat | undefined,
): Pick<Due, 'rule' | 'because'> | null {
  const { state, nowMs } = draft;
  for (const rule of MEMORY_RULES) {
    const { latest, over } = watch.memory[rule];
    if (over < settings.recycle_samples || isStopped(state, rule)) continue;
    const limit = formatMiB(bytes(Number(limitOf(settings, rule))));
    return { rule, because: `${formatMiB(bytes(latest))} of ${WORDS[rule]}, ${settingOf(rule)} is ${limit}` };
  }
  if (settings.max_requests > 0 && beat !== undefined) {
    const limit = settings.max_requests + jitterOf(worker, settings.max_requests_jitter);
    if (beat.requestsFinished >= limit) {
      const because = `${formatCount(beat.requestsFinished)} requests, max_requests is ${formatCount(limit)} for this worker`;
      return { rule: 'requests', because };
    }
    lookAgainInTime(draft, watch, beat, limit);
  }
  if (settings.recycle_age_seconds > 0) {
    const limit = settings.recycle_age_seconds + jitterOf(worker, settings.recycle_age_jitter_seconds);
    const age = (nowMs - worker.forkedAtMs) / 1000;
    if (age >= limit)
      return { rule: 'age', because: `${age.toFixed(0)} s old, recycle_age is ${limit} s for this worker` };
  }
  return null;
}

/** Asks for a look when the worker will have reached its request limit, if that is before the next tick. */
function lookAgainInTime(draft: Draft, watch: RecycleWatch, beat: Heartbeat, limit: number): void {
  const { requests } = watch;
  const elapsedMs = draft.nowMs - requests.atMs;
  const answered = beat.requestsFinished - requests.finished;
  if (elapsedMs <= 0 || answered <= 0) return;
  const untilMs = Math.max(SHORTEST_WAKE_MS, ((limit - beat.requestsFinished) / answered) * elapsedMs);
  if (untilMs < TICK_MS) draft.actions.push({ do: 'wake', atMs: draft.nowMs + untilMs });
}

function countHerd(draft: Draft, settings: Settings, memory: HerdReading): void {
  const { herd } = own<RecyclingPart>(draft).recycling;
  const budget = herdBudget(settings, memory);
  herd.budget = budget === null ? null : { used: budget.used, limit: budget.limit };
  if (budget !== null && budget.used > budget.limit) {
    herd.overSinceMs ??= draft.nowMs;
  } else {
    herd.overSinceMs = null;
    herd.inARow = 0;
  }
  if (settings.herd_memory !== 'auto' || budget !== null || isStopped(draft.state, 'herd_memory')) return;
  stop(draft, settings, 'herd_memory', 'no memory limit of the cgroup is visible');
}

/**
 * The worker whose recycling wins most, if the herd is over its budget and the effect of the previous one has shown.
 */
function herdDue(
  draft: Draft,
  settings: Settings,
  memory: HerdReading | undefined,
  beats: ReadonlyMap<number, Heartbeat>,
): Due[] {
  const { state, nowMs } = draft;
  const { herd } = state.recycling;
  const budget = memory === undefined ? null : herdBudget(settings, memory);
  if (memory === undefined || budget === null || isStopped(state, 'herd_memory')) return [];
  if (herd.overSinceMs === null || herd.lastPid !== null) return [];
  const dueSinceMs = herd.overSinceMs + (settings.recycle_samples - 1) * TICK_MS;
  if (nowMs < dueSinceMs) return [];
  if (herd.goneAtMs !== null && nowMs - herd.goneAtMs < HERD_SETTLE_MS) return [];
  const old = Object.values(state.workers).filter(
    (worker) =>
      worker.phase === 'ready' &&
      worker.replaceBecause === null &&
      worker.readyAtMs !== null &&
      nowMs - worker.readyAtMs >= HERD_YOUNG_MS,
  );
  const largest = largestWorker(old, memory);
  if (largest === null) return [];
  const because =
    `the herd uses ${formatMiB(bytes(budget.used))}, ${budget.name} is ${formatMiB(bytes(budget.limit))};` +
    ` this worker has the most private memory, ${formatMiB(bytes(largest.private))}`;
  const beat = beats.get(largest.worker.pid);
  return [
    {
      worker: largest.worker,
      rule: 'herd_memory',
      because,
      dueSinceMs,
      isIdle: beat === undefined || beat.inFlight === 0,
    },
  ];
}

const WORDS: Record<MemoryRule, string> = {
  private: 'private memory',
  pss: 'proportional memory',
  rss: 'resident memory',
};

function isMemoryRule(rule: RecycleRule): rule is MemoryRule {
  return rule === 'private' || rule === 'pss' || rule === 'rss';
}

function settingOf(rule: RecycleRule): string {
  if (isMemoryRule(rule)) return `recycle_${rule}`;
  return { requests: 'max_requests', age: 'recycle_age', herd_memory: 'herd_memory' }[rule];
}

function isOn(limit: number | string): boolean {
  return limit !== 0 && limit !== 'off';
}

/** The limit in the settings. */
function limitOf(settings: Settings, rule: RecycleRule): number | string {
  return {
    private: settings.recycle_private_bytes,
    pss: settings.recycle_pss_bytes,
    rss: settings.recycle_rss_bytes,
    requests: settings.max_requests,
    age: settings.recycle_age_seconds,
    herd_memory: settings.herd_memory,
  }[rule];
}
