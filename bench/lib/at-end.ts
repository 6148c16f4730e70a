/** All that a runner has started ends with it: at its own end, after a failure, and when it is told to end. */
import { endAllStarted } from './processes.ts';

/** make passes SIGTERM on to what it has started; a Ctrl-C and the end of the terminal reach both. */
const TOLD_TO_END = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/** @param then what is to be done after that. Nothing that takes time: the process ends with it. */
export function endStartedAtEnd(then: () => void = () => {}): void {
  for (const [signal, number] of Object.entries(TOLD_TO_END)) process.on(signal, () => process.exit(128 + number));
  process.on('exit', () => {
    endAllStarted();
    then();
  });
}
