/**
 * The first moments of a herd: its runtime directory, and the keeper with the order for the first mold.
 *
 * Imports little: the interpreter loads gunicorn while this process still loads the rest of the supervisor.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { InheritedSockets } from '../agent/inherited-sockets.ts';
import { spawnKeeper, type KeeperProcess } from '../agent/keeper-process.ts';
import type { Inventory, KeeperCommand, MoldOccasion, MoldOrder } from '../agent/messages.ts';
import { Scoreboard } from '../agent/scoreboard.ts';
import { LAUNCHER } from '../base/installation.ts';
import type { LogFormat } from '../base/log-format.ts';
import type { SavedHerd } from './runtime-directory/herd-file.ts';
import { CONTROL_SOCKET, KEEPER_SOCKET } from './runtime-directory/runtime-directory.ts';
import type { Predecessor } from './herd/state.ts';
import { prepareRuntimeDirectory, refuseForeignHerd } from './runtime-directory/runtime-folder.ts';

export interface StartUpOptions {
  python: string;
  /** gunicorn's command line, for gunicorn's own parser. */
  arguments: string[];
  runtimeDirectory: string;
  logFormat: LogFormat;
  /** Sockets that this process was started with. */
  sockets: InheritedSockets;
  /** This process is already the background one. */
  daemonized: boolean;
}

export interface StartUp extends StartUpOptions {
  keeper: KeeperProcess;
  scoreboard: Scoreboard;
  /** The herd of a dead supervisor; `null` when this supervisor starts its own. */
  adopted: AdoptedHerd | null;
  /** The herd to replace; `null` when there is none. */
  predecessor: Predecessor | null;
}

export interface AdoptedHerd {
  inventory: Inventory;
  saved: SavedHerd | null;
  /** Parts of the herd's past that could not be read. */
  problems: string[];
}

/** The generation of the mold that is ordered here. */
export const FIRST_GENERATION = 1;

/**
 * Starts the keeper and, through it, the first mold. If there is a predecessor, the keeper borrows its listeners, and
 * has no adoption socket until the predecessor gives way.
 *
 * @throws CowherdError RUNTIME_DIRECTORY_TOO_LONG, RUNTIME_DIRECTORY_UNSAFE, RUNTIME_DIRECTORY_UNWRITABLE
 */
export function startUp(options: StartUpOptions, predecessor: Predecessor | null = null): StartUp {
  prepareRuntimeDirectory(options.runtimeDirectory);
  // A leftover of a killed supervisor; the caller has checked that nobody answers on it.
  rmSync(join(options.runtimeDirectory, CONTROL_SOCKET), { force: true });
  const keeper = startKeeper(options, predecessor === null);
  const started = { ...options, scoreboard: new Scoreboard(), adopted: null, predecessor, keeper };
  if (predecessor !== null)
    keeper.send({ type: 'borrow', adoption_socket: join(options.runtimeDirectory, KEEPER_SOCKET) });
  keeper.send(startMold(started, FIRST_GENERATION, [], 'first'));
  return started;
}

/** Starts a keeper, with or without an adoption socket, and a mold's process, which waits for its order. */
export function startKeeper(
  { python, runtimeDirectory, sockets, arguments: words }: StartUpOptions,
  hasAdoptionSocket = true,
): KeeperProcess {
  return spawnKeeper(
    python,
    hasAdoptionSocket ? join(runtimeDirectory, KEEPER_SOCKET) : '',
    words,
    sockets.descriptors,
  );
}

/**
 * Takes over the herd of a dead supervisor; `null` when there is none.
 *
 * @throws CowherdError RUNTIME_DIRECTORY_UNSAFE, RUNTIME_DIRECTORY_BUSY, PROTOCOL_MISMATCH, KEEPER_NO_ANSWER
 */
export async function adoptHerd(options: StartUpOptions): Promise<StartUp | null> {
  const { runtimeDirectory } = options;
  const adoptionSocket = join(runtimeDirectory, KEEPER_SOCKET);
  if (!existsSync(adoptionSocket)) return null;
  refuseForeignHerd(runtimeDirectory, 'own');
  const [{ adoptKeeper }, { readHerdFile }] = await Promise.all([
    import('../agent/adoption-socket.ts'),
    import('./runtime-directory/herd-file.ts'),
  ]);
  const adopted = await adoptKeeper(adoptionSocket);
  if (adopted === null) return null;
  const { keeper, inventory } = adopted;
  rmSync(join(runtimeDirectory, CONTROL_SOCKET), { force: true });
  const { saved, problem } = readHerdFile(runtimeDirectory);
  const problems = problem === null ? [] : [problem];
  const scoreboard = new Scoreboard();
  for (const { pid, scoreboard: descriptor } of inventory.workers) {
    const unread = scoreboard.open(pid, inventory.pid, descriptor);
    if (unread !== null) problems.push(`the counters of worker ${pid}: ${unread}`);
  }
  return { ...options, keeper, scoreboard, adopted: { inventory, saved, problems }, predecessor: null };
}

/** Whether a dead supervisor's herd that was started in the background, by the same command, waits for its next one. */
export async function wasInBackground({ runtimeDirectory, arguments: words }: StartUpOptions): Promise<boolean> {
  if (!existsSync(join(runtimeDirectory, KEEPER_SOCKET))) return false;
  refuseForeignHerd(runtimeDirectory, 'own');
  const { readHerdFile } = await import('./runtime-directory/herd-file.ts');
  const { saved } = readHerdFile(runtimeDirectory);
  const isSameCommand = JSON.stringify(saved?.origin.arguments) === JSON.stringify(words);
  return isSameCommand && saved?.state.settings?.daemon === true;
}

/** The order for a mold. `rejected`: policies that have failed their self-test here. */
export function moldOrder(
  { logFormat, daemonized, runtimeDirectory }: Omit<StartUp, 'keeper'>,
  generation: number,
  rejected: MoldOrder['rejected_policies'],
  occasion: MoldOccasion,
): MoldOrder {
  return {
    generation,
    runtime_directory: runtimeDirectory,
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
  // An adopted keeper still has the previous supervisor's interpreter and environment.
  const environment = started.adopted === null ? {} : (process.env as Record<string, string>);
  const { python, arguments: words } = started;
  return { type: 'start_mold', generation, mold, python, launcher: LAUNCHER, arguments: words, environment };
}
