/**
 * Whether the runtime directory holds a herd that can't be adopted, but can be replaced
 * (src/supervisor/herd/predecessor.ts).
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CowherdError } from '../base/errors.ts';
import { KEEPER_SOCKET } from './runtime-directory/runtime-directory.ts';
import { refuseForeignHerd } from './runtime-directory/runtime-folder.ts';
import type { Predecessor } from './herd/state.ts';

/**
 * Returns the herd of a keeper that speaks another version; `null` if there is none, or if it can be adopted.
 *
 * @throws CowherdError RUNTIME_DIRECTORY_UNSAFE, RUNTIME_DIRECTORY_BUSY, PROTOCOL_MISMATCH, KEEPER_NO_ANSWER
 */
export async function findPredecessor(runtimeDirectory: string): Promise<Predecessor | null> {
  const adoptionSocket = join(runtimeDirectory, KEEPER_SOCKET);
  if (!existsSync(adoptionSocket)) return null;
  refuseForeignHerd(runtimeDirectory);
  const [{ look }, { PROTOCOL_VERSION }] = await Promise.all([
    import('../agent/adoption-socket.ts'),
    import('../agent/messages.ts'),
  ]);
  const looked = await look(adoptionSocket);
  if (looked === null || looked.protocol === PROTOCOL_VERSION) return null;
  const { pid, protocol, supervised, draining, lends } = looked;
  if (supervised || draining) {
    const why = supervised ? 'has a supervisor' : 'is being ended';
    throw new CowherdError('RUNTIME_DIRECTORY_BUSY', {
      detail: `${runtimeDirectory}: the herd of keeper ${pid} ${why}`,
    });
  }
  if (lends) return { keeperPid: pid, protocol, phase: 'serving' };
  throw new CowherdError('PROTOCOL_MISMATCH', {
    detail:
      `the keeper (pid ${pid}) of the herd in ${runtimeDirectory} speaks version ${protocol}, this one` +
      ` ${PROTOCOL_VERSION}, and it cannot hand its listeners over`,
    advice:
      'The herd serves on, untouched. `cowherd stop` ends it after the requests in flight; then run this command again (docs/upgrading.md).',
  });
}
