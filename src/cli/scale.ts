/** `cowherd scale N`: changes how many workers a running herd has. */
import { CowherdError } from '../base/errors.ts';
import { printableLines } from '../base/printable.ts';
import { ask, CONTROL_VERSION } from '../supervisor/control.ts';
import { findHerd } from './find-herd.ts';

export interface ScaleOptions {
  runtimeDir?: string;
}

/** @throws CowherdError NOT_RUNNING, SEVERAL_RUNNING, ROLLOUT_REFUSED */
export async function runScale(workers: number, options: ScaleOptions): Promise<number> {
  const directory = await findHerd(options.runtimeDir);
  const reply = await ask(directory, { type: 'scale', version: CONTROL_VERSION, workers });
  if (reply.type !== 'answered') throw new CowherdError('PROTOCOL_MISMATCH', { detail: reply.type });
  if (!reply.accepted) throw new CowherdError('ROLLOUT_REFUSED', { detail: reply.text });
  process.stdout.write(`${printableLines(reply.text)}\n`);
  return 0;
}
