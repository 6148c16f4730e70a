/** `cowherd reload`, `rollback` and `refork`: begin a rollout of a running herd, and wait for its end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CowherdError } from '../../base/errors.ts';
import { printableJson, printableLines } from '../../base/printable.ts';
import { ask } from '../../supervisor/control/control.ts';
import { CONTROL_VERSION } from '../../supervisor/control/control-messages.ts';
import { nameOfHerd } from '../../supervisor/runtime-directory/herd-notes.ts';
import type { RolloutKind } from '../../supervisor/herd/state.ts';
import type { RolloutReport, StatusReport } from '../../supervisor/control/status.ts';
import { findHerd } from '../herd/find-herd.ts';

export interface RolloutOptions {
  runtimeDir?: string;
  /** False: return as soon as the rollout has begun. */
  wait: boolean;
  /** Seconds to wait for its end. */
  timeout?: number;
  json?: boolean;
}

const DEFAULT_TIMEOUT_SECONDS = 600;
const LOOK_EVERY_MS = 100;

/** @throws CowherdError NOT_RUNNING, SEVERAL_RUNNING, ROLLOUT_REFUSED, ROLLOUT_FAILED, ROLLOUT_TIMED_OUT */
export async function runRollout(kind: RolloutKind, options: RolloutOptions): Promise<number> {
  const directory = await findHerd(options.runtimeDir);
  const reply = await ask(directory, { type: kind, version: CONTROL_VERSION });
  if (reply.type !== 'answered') throw new CowherdError('PROTOCOL_MISMATCH', { detail: reply.type });
  const name = nameOfHerd(directory);
  if (!reply.accepted) throw new CowherdError('ROLLOUT_REFUSED', { detail: `${name}: ${reply.text}` });
  if (!options.wait || reply.generation === null) {
    print(options, `${reply.text}: ${name}`, {
      text: reply.text,
      generation: reply.generation,
      runtime_directory: directory,
    });
    return 0;
  }
  if (options.json !== true) process.stderr.write(`${printableLines(`${reply.text}: ${name}`)}\n`);
  const outcome = await untilEnded(directory, reply.generation, options.timeout ?? DEFAULT_TIMEOUT_SECONDS);
  if (outcome.failure !== null) throw new CowherdError('ROLLOUT_FAILED', { detail: `${name}: ${outcome.failure}` });
  print(options, `Generation ${outcome.to} serves, after ${outcome.seconds.toFixed(1)} s: ${name}`, {
    ...outcome,
    runtime_directory: directory,
  });
  return 0;
}

async function untilEnded(directory: string, generation: number, timeoutSeconds: number): Promise<RolloutReport> {
  const deadline = performance.now() + timeoutSeconds * 1000;
  for (;;) {
    const { rollout, last_rollout: last } = await herdOf(directory);
    if (last?.to === generation && rollout?.to !== generation) return last;
    if (performance.now() > deadline) {
      throw new CowherdError('ROLLOUT_TIMED_OUT', { detail: `generation ${generation} after ${timeoutSeconds} s` });
    }
    await sleep(LOOK_EVERY_MS);
  }
}

async function herdOf(directory: string): Promise<StatusReport['herd']> {
  const reply = await ask(directory, { type: 'status', version: CONTROL_VERSION });
  if (reply.type !== 'status') throw new CowherdError('PROTOCOL_MISMATCH', { detail: reply.type });
  return reply.report.herd;
}

function print(options: RolloutOptions, text: string, data: object): void {
  process.stdout.write(options.json === true ? `${printableJson(data, 2)}\n` : `${printableLines(text)}\n`);
}
