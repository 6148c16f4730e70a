/** What is known of each running herd, whether it has a supervisor that answers or not. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { look } from '../agent/keeper-door.ts';
import { CowherdError, type ErrorCode } from '../base/errors.ts';
import { readHerdFile, type SavedHerd } from '../supervisor/herd-file.ts';
import { HERD_FILE, KEEPER_SOCKET } from '../supervisor/runtime-directory.ts';
import type { StatusReport } from '../supervisor/status.ts';
import { herdDirectories, ownerOf } from './herd-directories.ts';
import { readStatus } from './read-status.ts';

/** A row of `cowherd list`, in the form of its JSON. */
export interface HerdEntry {
  /** Of the supervisor; of the keeper, where there is none. */
  pid: number | null;
  app: string | null;
  listeners: string[];
  /** Where `cowherd serve` was run. */
  folder: string | null;
  runtime_directory: string;
  /** The user that it runs as. */
  uid: number | null;
  workers_ready: number | null;
  workers_wanted: number | null;
  phase: string | null;
  /** Null where it can't be told. */
  supervised: boolean | null;
  /** A code of docs/errors.md, where the herd does not answer. */
  problem: ErrorCode | null;
}

/** Every herd that this user can see. */
export async function listHerds(): Promise<HerdEntry[]> {
  const entries = await Promise.all(herdDirectories().map(readHerd));
  return entries.filter((entry) => entry !== null);
}

/** Null where no herd is. */
export async function readHerd(directory: string): Promise<HerdEntry | null> {
  try {
    return ofStatus(directory, await readStatus(directory));
  } catch (error) {
    if (!(error instanceof CowherdError)) throw error;
    if (error.code === 'NOT_RUNNING') return null;
    return await ofWhatIsLeft(directory, error.code);
  }
}

/** Which herd an answer is about: `shop:app of /srv/shop (/run/cowherd/shop-1a2b3c-4d5e6f)`. Asks nobody. */
export function nameOfHerd(directory: string): string {
  const saved = savedHerd(directory);
  return herdLabel({
    app: saved?.state.settings?.app ?? null,
    folder: saved?.origin.cwd ?? null,
    runtime_directory: directory,
  });
}

export function herdLabel(herd: Pick<HerdEntry, 'app' | 'folder' | 'runtime_directory'>): string {
  const app = herd.app === null || herd.app === '' ? 'the application' : herd.app;
  return `${app}${herd.folder === null ? '' : ` of ${herd.folder}`} (${herd.runtime_directory})`;
}

/** The supervisor's notes; null where there are none, or where they are no ordinary file. */
export function savedHerd(directory: string): SavedHerd | null {
  try {
    // A pipe would make the reader wait.
    if (!lstatSync(join(directory, HERD_FILE)).isFile()) return null;
  } catch {
    return null;
  }
  return readHerdFile(directory).saved;
}

function ofStatus(directory: string, { herd }: StatusReport): HerdEntry {
  return {
    pid: herd.supervisor.pid,
    app: herd.app,
    listeners: herd.listeners,
    // A supervisor of an older version does not say.
    folder: herd.folder ?? savedHerd(directory)?.origin.cwd ?? null,
    runtime_directory: directory,
    uid: ownerOf(directory),
    workers_ready: herd.workers_ready,
    workers_wanted: herd.workers_wanted,
    phase: herd.phase,
    supervised: true,
    problem: null,
  };
}

async function ofWhatIsLeft(directory: string, problem: ErrorCode): Promise<HerdEntry> {
  const saved = savedHerd(directory);
  const isOrphaned = problem === 'SUPERVISOR_GONE';
  const looked = isOrphaned ? await look(join(directory, KEEPER_SOCKET)).catch(() => null) : null;
  return {
    pid: looked?.pid ?? (isOrphaned ? null : (saved?.supervisorPid ?? null)),
    app: saved?.state.settings?.app ?? null,
    listeners: saved?.state.listeners ?? [],
    folder: saved?.origin.cwd ?? null,
    runtime_directory: directory,
    uid: ownerOf(directory),
    workers_ready: looked?.workers.length ?? null,
    workers_wanted: saved?.state.target ?? null,
    phase: saved?.state.phase ?? null,
    supervised: isOrphaned ? false : null,
    problem,
  };
}
