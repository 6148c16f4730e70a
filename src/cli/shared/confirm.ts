/** Asks for confirmation on the terminal. */
import { CowherdError } from '../../base/errors.ts';

/**
 * Returns after agreement, by `--yes` or by a `y` on the terminal.
 *
 * @throws CowherdError CONFIRMATION_NEEDED without a terminal, or after any other answer
 */
export async function confirm(question: string, isAgreed: boolean): Promise<void> {
  if (isAgreed) return;
  if (!process.stdin.isTTY) throw new CowherdError('CONFIRMATION_NEEDED', { detail: 'there is no terminal to ask on' });
  process.stderr.write(`${question} [y/N] `);
  const answer = await readLine();
  if (!/^y(es)?$/i.test(answer.trim())) throw new CowherdError('CONFIRMATION_NEEDED', { detail: 'the answer was no' });
}

/** The terminal handles line editing. Ctrl-C is a signal and ends this process, which has changed nothing yet. */
async function readLine(): Promise<string> {
  return await new Promise((resolve) => {
    const end = (text: string): void => {
      process.stdin.removeAllListeners('data').removeAllListeners('end').pause();
      resolve(text);
    };
    process.stdin.setEncoding('utf8');
    process.stdin.once('data', (text) => end(String(text)));
    process.stdin.once('end', () => end(''));
  });
}
