/** `cowherd stop`: stops a running herd and waits until it has ended. */
import { lstatSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CowherdError } from '../../base/errors.ts';
import { printable } from '../../base/printable.ts';
import { join } from 'node:path';
import { drain, look } from '../../agent/adoption-socket.ts';
import { isAlive } from '../../procfs/alive.ts';
import { ask, isThere } from '../../supervisor/control/control.ts';
import { CONTROL_VERSION } from '../../supervisor/control/control-messages.ts';
import { readHerdFile } from '../../supervisor/runtime-directory/herd-file.ts';
import { nameOfHerd } from '../../supervisor/runtime-directory/herd-notes.ts';
import { removePidFile } from '../../supervisor/pid-file.ts';
import { KEEPER_SOCKET } from '../../supervisor/runtime-directory/runtime-directory.ts';
import { KsmSwitch } from '../../supervisor/ksm/ksm-switch.ts';
import { findHerd } from '../herd/find-herd.ts';

export interface StopOptions {
  runtimeDir?: string;
  /** Cut requests in flight short. */
  quick?: boolean;
  /** Seconds to wait until the herd has ended. */
  timeout?: number;
}

/** Longer than gunicorn's default graceful_timeout of 30 s. */
const DEFAULT_TIMEOUT_SECONDS = 60;
const LOOK_EVERY_MS = 50;

/** @throws CowherdError NOT_RUNNING, SEVERAL_RUNNING, STOP_TIMED_OUT */
export async function runStop(options: StopOptions): Promise<number> {
  const directory = await findHerd(options.runtimeDir);
  const name = nameOfHerd(directory);
  const pid = await begin(directory, options.quick === true);
  const timeoutSeconds = options.timeout ?? DEFAULT_TIMEOUT_SECONDS;
  const deadline = performance.now() + timeoutSeconds * 1000;
  const hasEnded = (): boolean => pid === null || !isAlive(pid);
  let hasLooked = false;
  while (!hasEnded() || (await isThere(directory))) {
    if (hasEnded() && !hasLooked) {
      hasLooked = true;
      await drainPredecessor(directory, options.quick === true);
    }
    if (performance.now() > deadline) {
      throw new CowherdError('STOP_TIMED_OUT', { detail: `${name} after ${timeoutSeconds} s` });
    }
    await sleep(LOOK_EVERY_MS);
  }
  process.stdout.write(`Stopped ${printable(name)}\n`);
  return 0;
}

/** Begins the stop. Returns the process that ends last: the supervisor, or the keeper if there is none. */
async function begin(directory: string, quick: boolean): Promise<number | null> {
  try {
    const reply = await ask(directory, { type: 'stop', version: CONTROL_VERSION, quick });
    return reply.type === 'stopping' ? reply.pid : null;
  } catch (error) {
    if (!(error instanceof CowherdError) || error.code !== 'SUPERVISOR_GONE') throw error;
    removePidFileOf(directory);
    const looked = await drain(join(directory, KEEPER_SOCKET), quick);
    // The supervisor may have been killed during a heal (docs/heal.md).
    new KsmSwitch().recover();
    return looked?.pid ?? null;
  }
}

/** Drains the predecessor that the stopped herd had not replaced yet (docs/upgrading.md). */
async function drainPredecessor(directory: string, quick: boolean): Promise<void> {
  const adoptionSocket = join(directory, KEEPER_SOCKET);
  const looked = await look(adoptionSocket);
  if (looked !== null && !looked.supervised && !looked.draining) await drain(adoptionSocket, quick);
}

/** Removes the pid file of a supervisor that died before it could. */
function removePidFileOf(directory: string): void {
  const { saved } = readHerdFile(directory);
  const path = saved?.state.settings?.pidfile ?? null;
  // When root stops another user's herd, the path in its file can't be trusted.
  if (saved === null || path === null || lstatSync(directory).uid !== process.getuid?.()) return;
  removePidFile(path, saved.supervisorPid);
}
