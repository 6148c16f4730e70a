/** Looks at processes in /proc, and finds all that a test has started, wherever they have been reparented to. */
import { readdirSync, readFileSync } from 'node:fs';

/** Environment variable with a value per run, which every process of the run inherits. */
export const MARK = 'COWHERD_TEST_MARK';

export interface ProcessInfo {
  pid: number;
  ppid: number;
  /** The short name: cowherd-keeper, cowherd-mold, cowherd-worker, node … */
  name: string;
  state: string;
  command: string;
}

/** `null` if there is no such process. */
export function processInfo(pid: number): ProcessInfo | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const end = stat.lastIndexOf(')');
    const [state = '', ppid = ''] = stat.slice(end + 2).split(' ');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return { pid, ppid: Number(ppid), name: stat.slice(stat.indexOf('(') + 1, end), state, command };
  } catch {
    return null;
  }
}

/** Whether a process has ended. A zombie counts as ended. */
export function isGone(pid: number): boolean {
  const state = processInfo(pid)?.state;
  return state === undefined || state === 'Z' || state === 'X';
}

/** Every living process that was started with this mark in its environment. */
export function markedProcesses(mark: string): ProcessInfo[] {
  const wanted = `${MARK}=${mark}`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const environment = readFileSync(`/proc/${name}/environ`, 'latin1').split('\0');
        const info = environment.includes(wanted) ? processInfo(Number(name)) : null;
        return info === null || info.state === 'Z' ? [] : [info];
      } catch {
        return [];
      }
    });
}

/** Kills these processes with SIGKILL. */
export function kill(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has already ended.
    }
  }
}
