/**
 * The first moments of a herd: its runtime directory, and the keeper with the order for the first mold.
 *
 * Imports little: the interpreter loads gunicorn while this process still loads the rest of the supervisor.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { InheritedSockets } from '../agent/inherited-sockets.ts';
import { spawnKeeper, type KeeperProcess } from '../agent/keeper-process.ts';
import type { KeeperCommand, MoldOccasion, MoldOrder } from '../agent/messages.ts';
import { Scoreboard } from '../agent/scoreboard.ts';
import type { LogFormat } from '../base/log-format.ts';
import { CONTROL_SOCKET, prepareRuntimeDirectory, SCOREBOARD } from './runtime-directory.ts';

export interface StartUpOptions {
  python: string;
  /** gunicorn's command line, for gunicorn's own parser. */
  arguments: string[];
  runtimeDirectory: string;
  logFormat: LogFormat;
  /** What this process was started with. */
  sockets: InheritedSockets;
  /** This process is the background one already. */
  daemonized: boolean;
}

export interface StartUp extends StartUpOptions {
  keeper: KeeperProcess;
  scoreboard: Scoreboard;
}

/** The generation whose mold is ordered here. */
export const FIRST_GENERATION = 1;

/** More workers than any machine of today runs; the file is sparse. */
const SCOREBOARD_SLOTS = 1024;

/**
 * Starts the keeper and, through it, the first mold.
 *
 * @throws CowherdError RUNTIME_DIRECTORY_TOO_LONG, RUNTIME_DIRECTORY_UNWRITABLE
 */
export function startUp(options: StartUpOptions): StartUp {
  prepareRuntimeDirectory(options.runtimeDirectory);
  // Of a supervisor that was killed: whoever called has asked it, and nobody answered.
  rmSync(join(options.runtimeDirectory, CONTROL_SOCKET), { force: true });
  const scoreboard = Scoreboard.create(join(options.runtimeDirectory, SCOREBOARD), SCOREBOARD_SLOTS);
  const started = {
    ...options,
    scoreboard,
    keeper: spawnKeeper(options.python, options.arguments, options.sockets.descriptors),
  };
  started.keeper.send(startMold(started, FIRST_GENERATION, [], 'first'));
  return started;
}

/** The order for a mold. `rejected` are policies that have failed their self-test here. */
export function moldOrder(
  { logFormat, daemonized, scoreboard }: Omit<StartUp, 'keeper'>,
  generation: number,
  rejected: MoldOrder['rejected_policies'],
  occasion: MoldOccasion,
): MoldOrder {
  return {
    generation,
    scoreboard: scoreboard.path,
    log_format: logFormat,
    cwd: process.cwd(),
    daemonized,
    rejected_policies: rejected,
    occasion,
  };
}

/** The command that starts a mold's process. */
export function startMold(
  started: Omit<StartUp, 'keeper'>,
  generation: number,
  rejected: MoldOrder['rejected_policies'],
  occasion: MoldOccasion,
): KeeperCommand {
  const mold = moldOrder(started, generation, rejected, occasion);
  return { type: 'start_mold', generation, mold, arguments: started.arguments, environment: {} };
}
