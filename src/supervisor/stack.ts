/** The Python stack that a worker has left behind (agent/cowherd_agent/stack.py). */
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { readBeginning } from '../base/safe-file.ts';
import { STACK_PREFIX } from './runtime-directory.ts';

/** A stack of many threads is cut here. */
const LONGEST_CHARACTERS = 32_768;

/** A worker can fill its file, as far as the disk goes. */
const MOST_BYTES = 65_536;

/** What faulthandler writes (Python/traceback.c), without its first line and the list of extension modules. */
export function tidyStack(text: string): string | null {
  const lines = text
    .split('\n')
    .filter((line) => !line.startsWith('Fatal Python error: ') && !line.startsWith('Extension modules: '));
  const tidy = lines.join('\n').trim();
  if (tidy.length <= LONGEST_CHARACTERS) return tidy === '' ? null : tidy;
  return `${tidy.slice(0, LONGEST_CHARACTERS)}\n(and more)`;
}

/** The stack of the worker of this slot, which is told only once; null if there is none. */
export function takeStack(runtimeDirectory: string, slot: number): string | null {
  const file = join(runtimeDirectory, `${STACK_PREFIX}${slot}`);
  try {
    const text = readBeginning(file, { mostBytes: MOST_BYTES, noLink: true }).toString('utf8');
    if (text === '') return null;
    truncateSync(file);
    return tidyStack(text);
  } catch {
    // The worker could not make it, or never came so far.
    return null;
  }
}
