/** Asks a running herd for its status. */
import { CowherdError } from '../../base/errors.ts';
import { ask } from '../../supervisor/control/control.ts';
import { CONTROL_VERSION } from '../../supervisor/control/control-messages.ts';
import type { StatusReport } from '../../supervisor/control/status.ts';

/** @throws CowherdError NOT_RUNNING, PROTOCOL_MISMATCH */
export async function readStatus(directory: string): Promise<StatusReport> {
  const reply = await ask(directory, { type: 'status', version: CONTROL_VERSION });
  if (reply.type !== 'status') {
    throw new CowherdError('PROTOCOL_MISMATCH', { detail: `expected a status, got ${reply.type}` });
  }
  return reply.report;
}
