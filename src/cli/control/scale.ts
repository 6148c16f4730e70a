/** `cowherd scale N`: changes how many workers a running herd has. */
import { CowherdError } from '../../base/errors.ts';
import { printableLines } from '../../base/printable.ts';
import { formatCount } from '../../base/units.ts';
import { ask } from '../../supervisor/control/control.ts';
import { CONTROL_VERSION } from '../../supervisor/control/control-messages.ts';
import { nameOfHerd } from '../../supervisor/runtime-directory/herd-notes.ts';
import { MOST_WORKERS } from '../../supervisor/herd/state.ts';
import { findHerd } from '../herd/find-herd.ts';

export interface ScaleOptions {
  runtimeDir?: string;
}

/** @throws CowherdError INVALID_SETTING, NOT_RUNNING, SEVERAL_RUNNING, ROLLOUT_REFUSED */
export async function runScale(workers: number, options: ScaleOptions): Promise<number> {
  if (workers > MOST_WORKERS) {
    throw new CowherdError('INVALID_SETTING', {
      detail: `workers must be between 1 and ${formatCount(MOST_WORKERS)}; it is ${formatCount(workers)}`,
      advice: 'Ask for fewer. The herd is as it was.',
    });
  }
  const directory = await findHerd(options.runtimeDir);
  const reply = await ask(directory, { type: 'scale', version: CONTROL_VERSION, workers });
  if (reply.type !== 'answered') throw new CowherdError('PROTOCOL_MISMATCH', { detail: reply.type });
  const name = nameOfHerd(directory);
  if (!reply.accepted) throw new CowherdError('ROLLOUT_REFUSED', { detail: `${name}: ${reply.text}` });
  process.stdout.write(`${printableLines(`${reply.text}: ${name}`)}\n`);
  return 0;
}
