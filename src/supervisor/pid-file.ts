/** The pid file of gunicorn's setting `pidfile`. Written as gunicorn does: a new file that is renamed into the place. */
import { rmSync } from 'node:fs';
import { isSystemError } from '../base/errors.ts';
import { readBeginning, replaceFile } from '../base/safe-file.ts';
import { isAlive } from '../procfs/alive.ts';

/** The digits of any pid, and a newline. */
const MOST_BYTES = 32;

/** The process that a pid file names; null where it names none, or there is no such file. */
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

/** Only one's own: another process may have taken the place since. */
export function removePidFile(path: string, pid: number): void {
  if (readPidFile(path) !== pid) return;
  try {
    rmSync(path, { force: true });
  } catch {
    // It is not ours to take away.
  }
}

/** The pid file of this herd, which a reload may move. */
export class HerdPidFile {
  #path: string | null = null;

  /**
   * Writes the pid of this process, and takes away the file that was written before elsewhere.
   *
   * @param formerPid the supervisor whose herd was adopted: its file is this one's
   * @returns what is in the way, by its code of the catalogue; null if the file is written
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
