/** Which running herd a command means. */
import { basename } from 'node:path';
import { CowherdError } from '../base/errors.ts';
import { isThere } from '../supervisor/control.ts';
import { herdNamePrefix, listRuntimeDirectories } from '../supervisor/runtime-directory.ts';

/**
 * The runtime directory given; else that of the only herd that was started from the current folder; else that of the
 * only herd of this user, with or without a supervisor.
 *
 * @throws CowherdError NOT_RUNNING, SEVERAL_RUNNING
 */
export async function findHerd(given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  const there: string[] = [];
  for (const directory of listRuntimeDirectories()) {
    if (await isThere(directory)) there.push(directory);
  }
  const prefix = herdNamePrefix(process.cwd());
  const here = there.filter((directory) => basename(directory).startsWith(prefix));
  const [only, ...others] = here.length > 0 ? here : there;
  if (only === undefined) throw new CowherdError('NOT_RUNNING');
  if (others.length > 0) throw new CowherdError('SEVERAL_RUNNING', { detail: [only, ...others].join(', ') });
  return only;
}
