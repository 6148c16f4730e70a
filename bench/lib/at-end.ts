/** Ends everything that a runner has started: at its normal end, after a failure, and when it is told to end. */
import { endAllStarted } from './processes.ts';

/** make passes SIGTERM on to its children; Ctrl-C and the end of the terminal reach make and the runner. */
const TOLD_TO_END = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/** @param then called last. It must be synchronous, since the process ends right after it. */
export function endStartedAtEnd(then: () => void = () => {}): void {
  for (const [signal, number] of Object.entries(TOLD_TO_END)) process.on(signal, () => process.exit(128 + number));
  process.on('exit', () => {
    endAllStarted();
    then();
  });
}
