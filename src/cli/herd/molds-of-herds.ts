/** Asks supervisors for the molds of the running herds, since an application may give a process any name. */
import { CowherdError } from '../../base/errors.ts';
import { listRuntimeDirectories } from '../../supervisor/runtime-directory/runtime-directory.ts';
import { readStatus } from './read-status.ts';

/** Pids of the molds of this user's herds, or of the herd in a given directory. Skips herds that do not answer. */
export async function moldsOfHerds(given?: string): Promise<Set<number>> {
  const molds = new Set<number>();
  for (const directory of given === undefined ? listRuntimeDirectories() : [given]) {
    try {
      const report = await readStatus(directory);
      for (const { pid } of report.molds) if (pid !== null) molds.add(pid);
    } catch (error) {
      if (!(error instanceof CowherdError)) throw error;
    }
  }
  return molds;
}
