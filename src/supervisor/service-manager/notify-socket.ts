/**
 * The service manager's socket for notifications: NOTIFY_SOCKET and WATCHDOG_USEC of sd_notify(3) and
 * sd_watchdog_enabled(3).
 */

export interface NotifySocket {
  /** A path, or `@` and an abstract name. */
  address: string;
  watchdogMs: number | null;
}

/** Reads the socket's address and removes the variables: no process of the herd may speak for this one. */
export function takeNotifySocket(env: NodeJS.ProcessEnv = process.env, pid = process.pid): NotifySocket | null {
  const address = env['NOTIFY_SOCKET'] ?? '';
  const microseconds = Number(env['WATCHDOG_USEC']);
  const watched = Number(env['WATCHDOG_PID'] ?? pid) === pid && microseconds > 0;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  if (!/^[/@]./.test(address)) return null;
  return { address, watchdogMs: watched ? microseconds / 1000 : null };
}
