/** Shows long work: on a terminal one line that updates itself, and a line in the log at the end. */
import type { Log } from '../base/log.ts';
import { printable } from '../base/printable.ts';
import { formatDuration, formatMiB, milliseconds, type Bytes } from '../base/units.ts';

/** The progress of a piece of work. */
export interface Progress {
  text: string;
  done: number;
  total?: number | undefined;
  seconds: number;
  /** The work is finished: this line stays. */
  final: boolean;
}

export interface ProgressView {
  show(progress: Progress): void;
  /** Shows the memory of a loading mold. */
  showLoading(seconds: number, rss: Bytes): void;
  /** Removes the updating line, before something else is printed. */
  clear(): void;
}

/** `terminal` gets the updating line; `null` if there is none. */
export function createProgressView(log: Log, terminal: NodeJS.WriteStream | null): ProgressView {
  let shown = false;
  const renew = (text: string): void => {
    if (terminal === null) return;
    const width = terminal.columns > 0 ? terminal.columns : 80;
    terminal.write(`\r\u001B[K${printable(text).slice(0, width - 1)}`);
    shown = true;
  };
  const clear = (): void => {
    if (shown) terminal?.write('\r\u001B[K');
    shown = false;
  };
  return {
    clear,
    show(progress) {
      const line = describeProgress(progress);
      if (!progress.final) {
        renew(line);
        return;
      }
      clear();
      log.info(line);
    },
    showLoading(seconds, rss) {
      renew(`loading the application: ${formatDuration(milliseconds(seconds * 1000))}, ${formatMiB(rss)}`);
    },
  };
}

/** "making objects immortal: 1,200,000 (0.8 s)". */
export function describeProgress(progress: Progress): string {
  const total = progress.total === undefined ? '' : ` of ${progress.total.toLocaleString('en')}`;
  const count =
    progress.done === 0 && progress.total === undefined ? '' : ` ${progress.done.toLocaleString('en')}${total}`;
  const time = formatDuration(milliseconds(progress.seconds * 1000));
  return count === '' ? `${progress.text} (${time})` : `${progress.text}:${count} (${time})`;
}
