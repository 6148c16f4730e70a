/**
 * Survives the closing of the terminal at any time: a server keeps running, and every process exits as it would have.
 *
 * Node restores a terminal's settings when it exits, and aborts if the terminal is gone (src/node.cc, ResetStdio:
 * tcsetattr gives EIO); its message then causes a segmentation fault. It skips a descriptor that has become another
 * file.
 */
import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

const STANDARD_DESCRIPTORS = [0, 1, 2];

/** Call it once, before any output. */
export function outliveTerminal(): void {
  const terminals = STANDARD_DESCRIPTORS.filter((descriptor) => isatty(descriptor));
  if (terminals.length === 0) return;
  process.stderr.on('error', () => {
    // Output that nobody can read is dropped.
  });
  process.on('exit', () => leave(terminals.filter((descriptor) => !isatty(descriptor))));
}

function leave(lost: readonly number[]): void {
  for (const descriptor of lost) {
    try {
      closeSync(descriptor);
      // Takes the descriptor just closed, the lowest free one (open(2)).
      openSync('/dev/null', 'r+');
    } catch {
      // The descriptor is no longer a terminal, which is enough.
    }
  }
}
