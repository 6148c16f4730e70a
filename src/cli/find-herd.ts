/** Which running herd a command means. */
import { CowherdError } from '../base/errors.ts';
import { isAnswering } from '../supervisor/control.ts';
import { listRuntimeDirectories } from '../supervisor/runtime-directory.ts';

/**
 * The runtime directory given, or that of the only herd of this user that answers.
 *
 * @throws CowherdError NOT_RUNNING, SEVERAL_RUNNING
 */
export async function findHerd(given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  const answering: string[] = [];
  for (const directory of listRuntimeDirectories()) {
    if (await isAnswering(directory)) answering.push(directory);
  }
  const [only, ...others] = answering;
  if (only === undefined) throw new CowherdError('NOT_RUNNING');
  if (others.length > 0) throw new CowherdError('SEVERAL_RUNNING', { detail: answering.join(', ') });
  return only;
}
