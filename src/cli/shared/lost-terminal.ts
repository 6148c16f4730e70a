/**
 * A terminal may be closed at any time: a server goes on, and every process ends as it would have.
 *
 * Node puts a terminal's settings back when it ends, and aborts where the terminal is gone (src/node.cc, ResetStdio:
 * tcsetattr gives EIO); what it prints then ends in a segmentation fault. It leaves alone a descriptor that is another
 * file by then.
 */
import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

const STANDARD_DESCRIPTORS = [0, 1, 2];

/** To be called once, before anything is written. */
export function outliveTerminal(): void {
  const terminals = STANDARD_DESCRIPTORS.filter((descriptor) => isatty(descriptor));
  if (terminals.length === 0) return;
  process.stderr.on('error', () => {
    // What nobody can read any more is lost.
  });
  process.on('exit', () => leave(terminals.filter((descriptor) => !isatty(descriptor))));
}

function leave(lost: readonly number[]): void {
  for (const descriptor of lost) {
    try {
      closeSync(descriptor);
      // The lowest number that is free is this one (open(2)).
      openSync('/dev/null', 'r+');
    } catch {
      // It is no terminal any more, which is what was wanted.
    }
  }
}
