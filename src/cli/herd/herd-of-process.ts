/** Finds the running herd of this user that a process belongs to. */
import { CowherdError } from '../../base/errors.ts';
import { listRuntimeDirectories } from '../../supervisor/runtime-directory/runtime-directory.ts';
import type { StatusReport } from '../../supervisor/control/status.ts';
import { readStatus } from './read-status.ts';

export interface HerdOfProcess {
  readonly directory: string;
  readonly report: StatusReport;
  /** The process's generation; null for a supervisor. */
  readonly generation: number | null;
}

/** The herd whose mold, worker or supervisor a process is, or null. `given`: the only runtime directory to look in. */
export async function herdOfProcess(pid: number, given?: string): Promise<HerdOfProcess | null> {
  for (const directory of given === undefined ? listRuntimeDirectories() : [given]) {
    let report: StatusReport;
    try {
      report = await readStatus(directory);
    } catch (error) {
      // The herd has ended or has no supervisor.
      if (error instanceof CowherdError) continue;
      throw error;
    }
    const found = [...report.molds, ...report.workers].find((each) => each.pid === pid);
    if (found === undefined && report.herd.supervisor.pid !== pid) continue;
    return { directory, report, generation: found?.generation ?? null };
  }
  return null;
}
