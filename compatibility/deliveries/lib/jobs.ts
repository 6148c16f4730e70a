/** Whether a job that is due each second was run once each second, in one process of the herd at a time. Pure. */
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
/** Jobs of a scheduler are due at whole seconds after its start; two that are nearer than this are one too many. */
const TOGETHER_SECONDS = 0.5;

/** What the application writes: a line for each job. */
export function readJobs(lines: readonly string[]): Job[] {
  return lines.map((line) => {
    const [dueAt = '', pid = ''] = line.split(' ');
    return { dueAt: Number(dueAt), pid: Number(pid) };
  });
}

/**
 * @param serving from when the server was ready to when it was told to stop
 * @param reload while which there may be no job, since the old code's scheduler rests and the new code's is not there;
 *   null if there was none
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

/** Jobs that should have been between two. Half a second is for who asks for the time, and the scheduler's own wake. */
function missingWithin(seconds: number): number {
  return Math.max(0, Math.ceil(seconds / EVERY_SECONDS - TOGETHER_SECONDS) - 1);
}

/** Whether the jobs before and after the gap are those of the old and of the new code. */
function isHandedOver(before: Job, after: Job, reload: Span | null): boolean {
  return (
    reload !== null &&
    before.pid !== after.pid &&
    before.dueAt > reload.from - 2 * EVERY_SECONDS &&
    after.dueAt < reload.to + 2 * EVERY_SECONDS
  );
}
