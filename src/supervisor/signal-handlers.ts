/**
 * The supervisor's signals, as gunicorn's users know them: TERM and INT finish requests, a second INT or QUIT is fast,
 * HUP reloads, USR2 reforks, TTIN and TTOU change the number of workers, USR1 reopens logs.
 */
import type { HerdEvent } from './herd/events.ts';

/** Installs the handlers. @returns a function that removes them */
export function listenToSignals(dispatch: (event: HerdEvent) => unknown, onReopenLogs?: () => void): () => void {
  let interrupts = 0;
  const stop = (by: string, quick: boolean): void => void dispatch({ type: 'stop_requested', by, quick });
  const handlers = new Map<NodeJS.Signals, () => void>([
    ['SIGTERM', () => stop('SIGTERM', false)],
    [
      'SIGINT',
      () => {
        interrupts += 1;
        stop(interrupts === 1 ? 'Ctrl-C' : 'second Ctrl-C', interrupts > 1);
      },
    ],
    ['SIGQUIT', () => stop('SIGQUIT', true)],
    ['SIGTTIN', () => void dispatch({ type: 'scale', by: 1 })],
    ['SIGTTOU', () => void dispatch({ type: 'scale', by: -1 })],
    [
      'SIGUSR1',
      () => {
        onReopenLogs?.();
        dispatch({ type: 'reopen_logs' });
      },
    ],
    ['SIGHUP', () => void dispatch({ type: 'reload_requested', by: 'SIGHUP' })],
    ['SIGUSR2', () => void dispatch({ type: 'refork_requested', by: 'SIGUSR2' })],
  ]);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.removeListener(signal, handler);
  };
}
