/** Which workers of a run are ready. */
import type { Run } from './cowherd.ts';
import { until } from './until.ts';

export async function readyPids(run: Run): Promise<number[]> {
  return (await run.workers()).filter((worker) => worker.state === 'ready').map((worker) => worker.pid);
}

/** Waits until there are `count` ready workers, none of them in `without`, and returns their pids. */
export async function untilReady(run: Run, count: number, without: readonly number[] = []): Promise<number[]> {
  return await until(`${count} other workers are ready`, async () => {
    const now = await readyPids(run);
    return now.length === count && !now.some((pid) => without.includes(pid)) ? now : null;
  });
}
