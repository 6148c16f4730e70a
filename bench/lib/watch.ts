/** Watches something from a separate process while work runs, so that the work can't delay the watching. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { CHECKOUT } from './places.ts';

/**
 * Runs `work` while `program`, a file of this folder, watches. The program sends a message over IPC when it has begun,
 * and replies to the first message with what it has seen.
 */
export async function underWatch<Result>(
  program: string,
  args: readonly string[],
  work: () => Promise<Result>,
): Promise<{ result: Result; watched: unknown }> {
  const child = fork(path.join(import.meta.dirname, program), args, {
    cwd: CHECKOUT,
    execArgv: ['--import', 'tsx'],
  });
  try {
    await once(child, 'message');
    const result = await work();
    const answer = once(child, 'message');
    child.send('enough');
    const [watched] = (await answer) as [unknown];
    return { result, watched };
  } finally {
    child.kill();
  }
}
