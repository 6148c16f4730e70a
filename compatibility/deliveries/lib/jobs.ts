/** Checks that a job was run once each second, in one process of the herd at a time. Pure. */
import type { Tally } from './tally.ts';

export interface Job {
  /** Times are seconds since 1970. */
  readonly dueAt: number;
  readonly pid: number;
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

const EVERY_SECONDS = 1;
/** A scheduler's jobs are due at whole seconds after its start. Of two that are nearer than this, one is too many. */
const TOGETHER_SECONDS = 0.5;

/** Reads the lines that the application writes, one for each job. */
export function readJobs(lines: readonly string[]): Job[] {
  return lines.map((line) => {
    const [dueAt = '', pid = ''] = line.split(' ');
    return { dueAt: Number(dueAt), pid: Number(pid) };
  });
}

/**
 * @param serving from when the server was ready until it was told to stop
 * @param reload the time of the reload, when there may be no job: the old code's scheduler rests and the new code's
 *   doesn't exist yet; null without a reload
 */
export function tallyJobs(jobs: readonly Job[], serving: Span, reload: Span | null): Tally {
  const inOrder = jobs.toSorted((one, other) => one.dueAt - other.dueAt);
  const firstOf = new Map<number, number>();
  for (const { pid, dueAt } of inOrder) if (!firstOf.has(pid)) firstOf.set(pid, dueAt);
  let doubled = 0;
  let lost = 0;
  let previous: Job = { dueAt: serving.from, pid: 0 };
  for (const job of inOrder) {
    const apart = job.dueAt - previous.dueAt;
    const isSuperseded = [...firstOf].some(
      ([pid, first]) => pid !== job.pid && first < job.dueAt && first > (firstOf.get(job.pid) ?? 0),
    );
    if (isSuperseded || (previous.pid !== 0 && apart < TOGETHER_SECONDS)) {
      doubled += 1;
    } else {
      if (!isHandedOver(previous, job, reload)) lost += missingWithin(apart);
      previous = job;
    }
  }
  lost += missingWithin(serving.to - previous.dueAt);
  const delivered = jobs.length - doubled;
  return { sent: delivered + lost, delivered, lost, doubled };
}

/**
 * Number of jobs missing between two. Half a second is tolerated for reading the clock and for the scheduler's wake.
 */
function missingWithin(seconds: number): number {
  return Math.max(0, Math.ceil(seconds / EVERY_SECONDS - TOGETHER_SECONDS) - 1);
}

/** Whether the job before the gap is one of the old code, and the job after it one of the new code. */
function isHandedOver(before: Job, after: Job, reload: Span | null): boolean {
  return (
    reload !== null &&
    before.pid !== after.pid &&
    before.dueAt > reload.from - 2 * EVERY_SECONDS &&
    after.dueAt < reload.to + 2 * EVERY_SECONDS
  );
}
