/**
 * Signals that come while the supervisor starts: they wait until somebody listens.
 *
 * The keeper and the first mold are at work before the supervisor's own code is loaded. A signal in between would end this
 * process alone, and leave a herd behind that nobody has asked to go on.
 */
import process from 'node:process';

const HELD = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGTTIN', 'SIGTTOU'] as const;

/** From now on; the function that is returned gives each to its listeners, in the order in which they came. */
export function holdSignals(): () => void {
  const came: NodeJS.Signals[] = [];
  const hold = (signal: NodeJS.Signals): void => void came.push(signal);
  for (const signal of HELD) process.on(signal, hold);
  return () => {
    for (const signal of HELD) process.removeListener(signal, hold);
    for (const signal of came) process.emit(signal, signal);
  };
}
