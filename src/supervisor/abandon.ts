/** The end of a supervisor that could not begin its work. */
import { removeRuntimeFiles } from './runtime-directory/runtime-folder.ts';
import type { StartUp } from './start-up.ts';

const LONGEST_LEAVE_MS = 10_000;

/**
 * Has the keeper of a herd that was started by this process leave with its first mold, and waits for its end. A herd that
 * was adopted serves on without a supervisor. Afterwards, nothing of the herd keeps this process alive.
 */
export async function abandon({ keeper, adopted, predecessor, runtimeDirectory }: StartUp): Promise<void> {
  if (adopted === null) {
    await new Promise<void>((resolve) => {
      const deadline = setTimeout(resolve, LONGEST_LEAVE_MS);
      const ended = (): void => {
        clearTimeout(deadline);
        resolve();
      };
      keeper.attach({ onLine() {}, onSpawnFailed: ended, onExit: ended });
      keeper.send({ type: 'exit' });
    });
    if (predecessor === null) removeRuntimeFiles(runtimeDirectory);
  }
  keeper.letGo();
}
