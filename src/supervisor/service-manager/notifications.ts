/**
 * What the service manager is told, and when: sd_notify(3). Pure; `notifier.ts` sends it.
 *
 * READY when every worker is ready for the first time and after each reload or rollback, RELOADING when one of these
 * begins, STOPPING, WATCHDOG while the herd serves, and a line of STATUS now and then.
 */
import type { HerdState } from '../herd/state.ts';

/** How often the line of `systemctl status` is updated, if it has changed. */
export const STATUS_EVERY_MS = 10_000;

/** What was sent so far. */
export interface NotificationMemory {
  isReady: boolean;
  isReloading: boolean;
  isStopping: boolean;
  watchdogAtMs: number;
  status: string;
  statusAtMs: number;
}

export interface NotificationInput {
  state: HerdState;
  supervisorPid: number;
  /** The number of all answered requests; computed only when it is sent. */
  requests: () => number;
  /** How often the service manager expects a notification (WATCHDOG_USEC); `null`: never. */
  watchdogMs: number | null;
  /** CLOCK_MONOTONIC, which the service manager compares with its own. */
  nowMs: number;
}

export const nothingTold: NotificationMemory = {
  isReady: false,
  isReloading: false,
  isStopping: false,
  watchdogAtMs: -Infinity,
  status: '',
  statusAtMs: -Infinity,
};

/** The text of the next notification, one variable per line, or `null`; and the memory after it. */
export function notification(
  before: NotificationMemory,
  input: NotificationInput,
): { memory: NotificationMemory; text: string | null } {
  const { state, nowMs } = input;
  const memory = { ...before };
  const lines: string[] = [];
  if (state.phase === 'stopping' && !memory.isStopping) {
    memory.isStopping = true;
    lines.push('STOPPING=1');
  }
  if (!memory.isStopping) {
    const isReloading = state.rollout !== null && state.rollout.kind !== 'refork';
    if (!memory.isReady && state.announcedReady) {
      memory.isReady = true;
      lines.push('READY=1', `MAINPID=${input.supervisorPid}`);
    } else if (memory.isReady && isReloading && !memory.isReloading) {
      memory.isReloading = true;
      lines.push('RELOADING=1', `MONOTONIC_USEC=${Math.floor(nowMs * 1000)}`);
    } else if (memory.isReloading && !isReloading) {
      memory.isReloading = false;
      lines.push('READY=1');
    }
  }
  if (lines.length > 0 || nowMs >= memory.statusAtMs + STATUS_EVERY_MS) {
    const status = statusLine(input);
    if (status !== memory.status) lines.push(`STATUS=${status}`);
    memory.status = status;
    memory.statusAtMs = nowMs;
  }
  if (input.watchdogMs !== null && nowMs >= memory.watchdogAtMs + input.watchdogMs / 2 && isWell(state)) {
    memory.watchdogAtMs = nowMs;
    lines.push('WATCHDOG=1');
  }
  return { memory, text: lines.length === 0 ? null : lines.join('\n') };
}

/** Before the herd serves, the service manager's start timeout applies; while it stops, the stop timeout. */
function isWell(state: HerdState): boolean {
  return !state.announcedReady || state.phase === 'stopping' || readyWorkers(state) > 0;
}

function readyWorkers(state: HerdState): number {
  return Object.values(state.workers).filter((worker) => worker.phase === 'ready').length;
}

function statusLine({ state, requests }: NotificationInput): string {
  if (state.phase === 'starting') return 'Starting: the application is loaded';
  if (state.phase !== 'serving')
    return `Stopping: ${Object.keys(state.workers).length} worker(s) finish their requests`;
  const { rollout, lastRollout } = state;
  const workers = `${readyWorkers(state)} of ${state.target} workers ready`;
  const serving = `Generation ${state.generation}: ${workers}, ${requests()} requests`;
  if (rollout !== null) return `${serving}; ${rollout.kind} to generation ${rollout.to}`;
  const failed = lastRollout?.failure ?? null;
  return failed === null ? serving : `${serving}; the last ${lastRollout?.kind} failed: ${oneLine(failed)}`;
}

/** A line break would begin another variable. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').slice(0, 200);
}
