/** What is known of each running herd, whether it has a supervisor that answers or not. */
import { join } from 'node:path';
import { look } from '../../agent/adoption-socket.ts';
import { CowherdError, type ErrorCode } from '../../base/errors.ts';
import { notesOf } from '../../supervisor/runtime-directory/herd-notes.ts';
import { KEEPER_SOCKET } from '../../supervisor/runtime-directory/runtime-directory.ts';
import type { StatusReport } from '../../supervisor/control/status.ts';
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
    // Nobody talks to what may be somebody else's.
    if (error.code === 'NOT_RUNNING' || error.code === 'RUNTIME_DIRECTORY_UNSAFE') return null;
    return await ofWhatIsLeft(directory, error.code);
  }
}

function ofStatus(directory: string, { herd }: StatusReport): HerdEntry {
  return {
    pid: herd.supervisor.pid,
    app: herd.app,
    listeners: herd.listeners,
    // Empty: see control-replies.ts.
    folder: herd.folder === '' ? (notesOf(directory)?.folder ?? null) : herd.folder,
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
  const saved = notesOf(directory);
  const isOrphaned = problem === 'SUPERVISOR_GONE';
  const looked = isOrphaned ? await look(join(directory, KEEPER_SOCKET)).catch(() => null) : null;
  return {
    pid: looked?.pid ?? (isOrphaned ? null : (saved?.supervisorPid ?? null)),
    app: saved?.app ?? null,
    listeners: saved?.listeners ?? [],
    folder: saved?.folder ?? null,
    runtime_directory: directory,
    uid: ownerOf(directory),
    workers_ready: looked?.workers.length ?? null,
    workers_wanted: saved?.workersWanted ?? null,
    phase: saved?.phase ?? null,
    supervised: isOrphaned ? false : null,
    problem,
  };
}
