/**
 * Holds signals that come while the supervisor starts, until somebody listens.
 *
 * The keeper and the first mold start working before the supervisor's own code is loaded. A signal in between would end
 * only this process, and leave a herd behind that nobody wants.
 */
import process from 'node:process';

const HELD = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGTTIN', 'SIGTTOU'] as const;

/** Holds signals from now on. The returned function delivers each to its listeners, in order of arrival. */
export function holdSignals(): () => void {
  const came: NodeJS.Signals[] = [];
  const hold = (signal: NodeJS.Signals): void => void came.push(signal);
  for (const signal of HELD) process.on(signal, hold);
  return () => {
    for (const signal of HELD) process.removeListener(signal, hold);
    for (const signal of came) process.emit(signal, signal);
  };
}
