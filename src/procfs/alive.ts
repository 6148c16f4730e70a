/** Whether a process is alive. A zombie, which has ended but was not waited for by its parent, is not. */
import { readStat } from './stat.ts';

export function isAlive(pid: number): boolean {
  const stat = readStat(pid);
  return stat !== null && stat.state !== 'Z' && stat.state !== 'X';
}
