/** Which running herd of this user a process is of. */
import { CowherdError } from '../../base/errors.ts';
import { listRuntimeDirectories } from '../../supervisor/runtime-directory/runtime-directory.ts';
import type { StatusReport } from '../../supervisor/control/status.ts';
import { readStatus } from './read-status.ts';

export interface HerdOfProcess {
  readonly directory: string;
  readonly report: StatusReport;
  /** Of the process; null for a supervisor. */
  readonly generation: number | null;
}

/** The herd whose mold, worker or supervisor this is; null where there is none. `given`: look in this directory only. */
export async function herdOfProcess(pid: number, given?: string): Promise<HerdOfProcess | null> {
  for (const directory of given === undefined ? listRuntimeDirectories() : [given]) {
    let report: StatusReport;
    try {
      report = await readStatus(directory);
    } catch (error) {
      // Of a herd that has ended, or has no supervisor.
      if (error instanceof CowherdError) continue;
      throw error;
    }
    const found = [...report.molds, ...report.workers].find((each) => each.pid === pid);
    if (found === undefined && report.herd.supervisor.pid !== pid) continue;
    return { directory, report, generation: found?.generation ?? null };
  }
  return null;
}
