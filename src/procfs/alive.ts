/** Whether a process lives: one that has ended and waits for its parent to take notice (a zombie) does not. */
import { readStat } from './stat.ts';

export function isAlive(pid: number): boolean {
  const stat = readStat(pid);
  return stat !== null && stat.state !== 'Z' && stat.state !== 'X';
}
