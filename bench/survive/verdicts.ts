/** Which failed requests were in flight on a killed worker, and which are lost. Pure. */
import type { Failure } from './visits.ts';

/**
 * A worker that was ended by SIGKILL. It was stopped first (SIGSTOP), so that the kernel could tell which connections
 * it had accepted: exactly these may be lost with it. Times are CLOCK_MONOTONIC.
 */
export interface WorkerKill {
  readonly pid: number;
  readonly stoppedAtMs: number;
  readonly killedAtMs: number;
  readonly endedAtMs: number;
  /** Client ports of the connections that it had accepted. */
  readonly clientPorts: readonly number[];
}

/** The kill that made a request fail; null if the request was not in flight on a killed worker. */
export function killOf(failure: Failure, kills: readonly WorkerKill[]): WorkerKill | null {
  const { port, openedAtMs, failedAtMs } = failure;
  if (port === null || openedAtMs === null) return null;
  return (
    kills.find(
      (kill) =>
        kill.clientPorts.includes(port) &&
        // The same connection, not a later one from the same port.
        openedAtMs <= kill.stoppedAtMs &&
        failedAtMs >= kill.killedAtMs,
    ) ?? null
  );
}

export interface Verdicts {
  readonly lost: readonly Failure[];
  readonly inFlightOnKilled: readonly Failure[];
  /** The largest number of requests in flight on one killed worker. */
  readonly mostOnOneKilled: number;
}

export function judgeFailures(failures: readonly Failure[], kills: readonly WorkerKill[]): Verdicts {
  const byKill = new Map<WorkerKill, number>();
  const lost: Failure[] = [];
  const inFlightOnKilled: Failure[] = [];
  for (const failure of failures) {
    const kill = killOf(failure, kills);
    if (kill === null) {
      lost.push(failure);
    } else {
      inFlightOnKilled.push(failure);
      byKill.set(kill, (byKill.get(kill) ?? 0) + 1);
    }
  }
  return { lost, inFlightOnKilled, mostOnOneKilled: Math.max(0, ...byKill.values()) };
}
