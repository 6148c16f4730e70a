/** The pid file of gunicorn's setting `pidfile`. Written as gunicorn does: a new file that is renamed into the place. */
import { rmSync } from 'node:fs';
import { readBeginning, replaceFile } from '../base/safe-file.ts';

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
