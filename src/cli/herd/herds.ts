/** Facts about each running herd, even if no supervisor answers. */
import { join } from 'node:path';
import { look } from '../../agent/adoption-socket.ts';
import { CowherdError, type ErrorCode } from '../../base/errors.ts';
import { notesOf } from '../../supervisor/runtime-directory/herd-notes.ts';
import { KEEPER_SOCKET } from '../../supervisor/runtime-directory/runtime-directory.ts';
import type { StatusReport } from '../../supervisor/control/status.ts';
import { herdDirectories, ownerOf } from './herd-directories.ts';
import { readStatus } from './read-status.ts';

/** A row of `cowherd list`, in its JSON format. */
export interface HerdEntry {
  /** The supervisor's pid; the keeper's if there is no supervisor. */
  pid: number | null;
  app: string | null;
  listeners: readonly string[];
  /** The folder in which `cowherd serve` was run. */
  folder: string | null;
  runtime_directory: string;
  /** The user that it runs as, who owns the directory. */
  uid: number | null;
  workers_ready: number | null;
  workers_wanted: number | null;
  phase: string | null;
  /** Whether it has a supervisor; null if that is not known. */
  supervised: boolean | null;
  /** A code of docs/errors.md if the herd does not answer; else null. */
  problem: ErrorCode | null;
}

/** Every herd that this user can see. */
export async function listHerds(): Promise<HerdEntry[]> {
  const entries = await Promise.all(herdDirectories().map(readHerd));
  return entries.filter((entry) => entry !== null);
}

/** Null if there is no herd. */
export async function readHerd(directory: string): Promise<HerdEntry | null> {
  try {
    return ofStatus(directory, await readStatus(directory));
  } catch (error) {
    if (!(error instanceof CowherdError)) throw error;
    // An unsafe directory may belong to somebody else and is not asked.
    if (error.code === 'NOT_RUNNING' || error.code === 'RUNTIME_DIRECTORY_UNSAFE') return null;
    return await ofWhatIsLeft(directory, error.code);
  }
}

function ofStatus(directory: string, { herd }: StatusReport): HerdEntry {
  return {
    pid: herd.supervisor.pid,
    app: herd.app,
    listeners: herd.listeners,
    // Empty from a supervisor of an older version (control-replies.ts).
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
