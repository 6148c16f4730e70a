/**
 * The records of the workers: which are wanted, ordered, there and gone. Writes {@link WorkersPart}; what to write is
 * decided elsewhere, above all in workers.ts.
 */
import { own, type Draft } from '../../herd/draft.ts';
import type { WorkersPart, WorkerState } from '../../herd/state.ts';
import type { Writable } from '../../herd/writable.ts';

function recordOf(draft: Draft, pid: number): Writable<WorkerState> | undefined {
  return own<WorkersPart>(draft).workers[pid];
}

/** Sets how many workers are wanted. */
export function want(draft: Draft, count: number): void {
  own<WorkersPart>(draft).target = count;
}

/** A fork is ordered, or awaited for a while longer. */
export function order(draft: Draft, slot: number, generation: number): void {
  own<WorkersPart>(draft).forking[slot] = { generation, askedAtMs: draft.nowMs };
}

/** The fork order for this slot has been answered. */
export function orderAnswered(draft: Draft, slot: number): void {
  delete own<WorkersPart>(draft).forking[slot];
}

/** The fork orders of a mold that has ended will never be answered. */
export function forgetOrders(draft: Draft, ofGeneration: number): void {
  for (const [slot, { generation }] of Object.entries(draft.state.forking)) {
    if (generation === ofGeneration) orderAnswered(draft, Number(slot));
  }
}

/** No fork order is awaited any longer. */
export function forgetAllOrders(draft: Draft): void {
  own<WorkersPart>(draft).forking = {};
}

export function add(draft: Draft, worker: WorkerState): void {
  own<WorkersPart>(draft).workers[worker.pid] = worker;
}

/** The process has ended, or is no longer a worker. */
export function remove(draft: Draft, pid: number, requestsFinished: number): void {
  delete own<WorkersPart>(draft).workers[pid];
  countGone(draft, requestsFinished);
}

/** Counts the requests of workers that are gone. */
export function countGone(draft: Draft, requestsFinished: number): void {
  own<WorkersPart>(draft).requestsOfGone += requestsFinished;
}

/** The keeper is gone, and with it all that it knew of workers. */
export function removeAll(draft: Draft): void {
  own<WorkersPart>(draft).workers = {};
  forgetAllOrders(draft);
}

export function becameReady(draft: Draft, pid: number): void {
  const worker = recordOf(draft, pid);
  if (worker === undefined) return;
  worker.phase = 'ready';
  worker.readyAtMs = draft.nowMs;
}

/** The worker finishes its requests and leaves, within the graceful timeout from now on. */
export function drains(draft: Draft, pid: number): void {
  const worker = recordOf(draft, pid);
  if (worker === undefined) return;
  worker.phase = 'draining';
  worker.drainedAtMs = draft.nowMs;
}

/** The worker leaves with the whole herd, which has a deadline of its own. */
export function leavesWithHerd(draft: Draft, pid: number): void {
  const worker = recordOf(draft, pid);
  if (worker !== undefined) worker.phase = 'draining';
}

/** The worker was killed because its graceful timeout was over, which begins again. */
export function killed(draft: Draft, pid: number): void {
  const worker = recordOf(draft, pid);
  if (worker !== undefined) worker.drainedAtMs = draft.nowMs;
}

/** The worker was silent for too long. */
export function aborted(draft: Draft, pid: number): void {
  const worker = recordOf(draft, pid);
  if (worker === undefined) return;
  // A worker that is to become a mold must not count as serving again.
  if (worker.phase !== 'retiring') worker.phase = 'aborted';
  worker.abortedAtMs = draft.nowMs;
}

/** The worker finishes its requests, to become a mold. */
export function retires(draft: Draft, pid: number): void {
  const worker = recordOf(draft, pid);
  if (worker !== undefined) worker.phase = 'retiring';
}

/** The worker was told to retire, and can't. */
export function servesOn(draft: Draft, pid: number): void {
  const worker = recordOf(draft, pid);
  if (worker !== undefined) worker.phase = 'ready';
}

/** Marks the worker for replacement; `null` withdraws the mark. */
export function mark(draft: Draft, pid: number, replaceBecause: string | null): void {
  const worker = recordOf(draft, pid);
  if (worker !== undefined) worker.replaceBecause = replaceBecause;
}

export function counted(draft: Draft, pid: number, requestsFinished: number): void {
  const worker = recordOf(draft, pid);
  if (worker !== undefined) worker.requestsFinished = requestsFinished;
}

/** The worker has reported why it fails. */
export function failing(draft: Draft, pid: number, failure: WorkerState['failure']): void {
  const worker = recordOf(draft, pid);
  if (worker !== undefined) worker.failure = failure;
}

/** The worker has written where it was stuck. */
export function wasStuck(draft: Draft, pid: number, stack: string): void {
  const worker = recordOf(draft, pid);
  if (worker !== undefined) worker.stack = stack;
}

/** The worker was asked about its requests in flight. */
export function asked(draft: Draft, pid: number): void {
  const worker = recordOf(draft, pid);
  if (worker !== undefined) worker.askedWhatItDoes = true;
}

/** The worker's answer. */
export function told(draft: Draft, pid: number, inFlight: WorkerState['inFlight']): void {
  const worker = recordOf(draft, pid);
  if (worker !== undefined) worker.inFlight = inFlight;
}
