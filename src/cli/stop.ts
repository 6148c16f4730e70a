/** `cowherd stop`: ends a running herd and waits until it is gone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CowherdError } from '../base/errors.ts';
import { ask, CONTROL_VERSION, isAnswering } from '../supervisor/control.ts';
import { findHerd } from './find-herd.ts';

export interface StopOptions {
  runtimeDir?: string;
  /** Cut requests in flight short. */
  quick?: boolean;
  /** How many seconds to wait until the herd is gone. */
  timeout?: number;
}

/** Longer than gunicorn's default graceful_timeout of 30 s. */
const DEFAULT_TIMEOUT_SECONDS = 60;
const LOOK_EVERY_MS = 50;

/** @throws CowherdError NOT_RUNNING, SEVERAL_RUNNING, STOP_TIMED_OUT */
export async function runStop(options: StopOptions): Promise<number> {
  const directory = await findHerd(options.runtimeDir);
  const reply = await ask(directory, {
    type: 'stop',
    version: CONTROL_VERSION,
    quick: options.quick === true,
  });
  const pid = reply.type === 'stopping' ? reply.pid : null;
  const timeoutSeconds = options.timeout ?? DEFAULT_TIMEOUT_SECONDS;
  const deadline = performance.now() + timeoutSeconds * 1000;
  const isGone = async (): Promise<boolean> => (pid === null || !isAlive(pid)) && !(await isAnswering(directory));
  while (!(await isGone())) {
    if (performance.now() > deadline) {
      throw new CowherdError('STOP_TIMED_OUT', { detail: `${directory} after ${timeoutSeconds} s` });
    }
    await sleep(LOOK_EVERY_MS);
  }
  process.stdout.write('Stopped\n');
  return 0;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
