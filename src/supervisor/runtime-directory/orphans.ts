/** Processes left behind by a dead keeper, which nobody reaps any more. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 50;

/**
 * Waits until these processes have left. Workers do so by themselves when their parent is gone; this asks them to leave
 * at once, and kills those that remain after the grace period.
 */
export async function waitForOrphans(pids: readonly number[], graceSeconds: number): Promise<void> {
  // A pid together with its start time is never reused for another process.
  const started = new Map(pids.map((pid) => [pid, startTime(pid)]));
  const remaining = (): number[] =>
    pids.filter((pid) => started.get(pid) !== null && startTime(pid) === started.get(pid));
  signal(remaining(), 'SIGTERM');
  const deadline = performance.now() + graceSeconds * 1000;
  while (remaining().length > 0) {
    if (performance.now() > deadline) signal(remaining(), 'SIGKILL');
    await sleep(LOOK_EVERY_MS);
  }
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // The process has left in the meantime.
    }
  }
}

/** Field 22 of /proc/PID/stat (proc(5)); `null` when there is no such process, or only a zombie. */
function startTime(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}
