/** The pid file of gunicorn's setting `pidfile`. Written as gunicorn does: a new file, renamed into place. */
import { rmSync } from 'node:fs';
import { isSystemError } from '../base/errors.ts';
import { readBeginning, replaceFile } from '../base/safe-file.ts';
import { isAlive } from '../procfs/alive.ts';

/** The digits of any pid, and a newline. */
const MOST_BYTES = 32;

/** The process that a pid file names; null if it names none, or if there is no such file. */
export function readPidFile(path: string): number | null {
  try {
    const pid = Number(readBeginning(path, { mostBytes: MOST_BYTES }).toString('latin1').trim());
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

/** @throws the error of the system */
export function writePidFile(path: string, pid: number): void {
  replaceFile(path, `${pid}\n`, 0o644);
}

/** Removes only a file with this pid: another process may have replaced it since. */
export function removePidFile(path: string, pid: number): void {
  if (readPidFile(path) !== pid) return;
  try {
    rmSync(path, { force: true });
  } catch {
    // The file may not be removed by this user.
  }
}

/** The pid file of this herd, which a reload may move. */
export class HerdPidFile {
  #path: string | null = null;

  /**
   * Writes this process's pid, and removes the file that was written elsewhere before.
   *
   * @param formerPid the supervisor whose herd was adopted: its file now belongs to this one
   * @returns the obstacle, with its code of the catalogue; null if the file is written
   */
  write(path: string, formerPid: number | undefined): { code: string; detail: string } | null {
    const previous = readPidFile(path);
    const isOurs = previous === process.pid || previous === formerPid;
    if (previous !== null && !isOurs && isAlive(previous)) {
      return { code: 'PIDFILE_IN_USE', detail: `${path} names process ${previous}` };
    }
    try {
      writePidFile(path, process.pid);
    } catch (error) {
      return { code: 'PIDFILE_UNWRITABLE', detail: `${path} (${isSystemError(error) ? error.code : String(error)})` };
    }
    if (this.#path !== null && this.#path !== path) removePidFile(this.#path, process.pid);
    this.#path = path;
    return null;
  }

  remove(): void {
    if (this.#path !== null) removePidFile(this.#path, process.pid);
  }
}
