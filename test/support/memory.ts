/** What the supervisor has read of a worker's memory. */
import type { WorkerReport } from '../../src/supervisor/control/status.ts';
import type { Run } from './cowherd.ts';
import { until } from './until.ts';

/** The worker's memory, looked at after now. */
export async function memoryAfterNow(run: Run, pid: number): Promise<NonNullable<WorkerReport['memory']>> {
  const from = performance.now();
  return await until('the worker is looked at', async () => {
    const found = (await run.workers()).find((each) => each.pid === pid);
    if (found === undefined || found.sampled_seconds_ago === null) return null;
    return performance.now() - found.sampled_seconds_ago * 1000 > from ? found.memory : null;
  });
}
