/**
 * The first moments of a herd: its runtime directory, and the keeper with the order for the first mold.
 *
 * Imports little: the interpreter loads gunicorn while this process still loads the rest of the supervisor.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { spawnKeeper, type KeeperProcess } from '../agent/keeper-process.ts';
import type { KeeperCommand } from '../agent/messages.ts';
import { Scoreboard } from '../agent/scoreboard.ts';
import type { LogFormat } from '../base/log-format.ts';
import { CONTROL_SOCKET, prepareRuntimeDirectory, SCOREBOARD } from './runtime-directory.ts';

export interface StartUpOptions {
  python: string;
  /** gunicorn's command line, for gunicorn's own parser. */
  arguments: string[];
  runtimeDirectory: string;
  logFormat: LogFormat;
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
  const started = { ...options, scoreboard, keeper: spawnKeeper(options.python, options.arguments) };
  started.keeper.send(orderMold(started, FIRST_GENERATION, []));
  return started;
}

/** The order for a mold. `rejected` are policies that have failed their self-test here. */
export function orderMold(
  { logFormat, daemonized, scoreboard, arguments: gunicornArguments }: Omit<StartUp, 'keeper'>,
  generation: number,
  rejected: { policy: string; reason: string }[],
): KeeperCommand {
  return {
    type: 'start_mold',
    generation,
    mold: {
      generation,
      scoreboard: scoreboard.path,
      log_format: logFormat,
      cwd: process.cwd(),
      daemonized,
      rejected_policies: rejected,
    },
    arguments: gunicornArguments,
    environment: {},
  };
}
