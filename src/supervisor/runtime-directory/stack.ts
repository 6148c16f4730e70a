/**
 * The Python stack that a worker has left after its row of the scoreboard (agent/cowherd_agent/worker/stack.py). Pure.
 */

/** A stack of many threads is truncated here. */
const LONGEST_CHARACTERS = 32_768;

/** Returns faulthandler's output (Python/traceback.c) without its first line and the list of extension modules. */
export function tidyStack(text: string): string | null {
  const lines = text
    .split('\n')
    .filter((line) => !line.startsWith('Fatal Python error: ') && !line.startsWith('Extension modules: '));
  const tidy = lines.join('\n').trim();
  if (tidy.length <= LONGEST_CHARACTERS) return tidy === '' ? null : tidy;
  return `${tidy.slice(0, LONGEST_CHARACTERS)}\n(and more)`;
}
