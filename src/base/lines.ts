/** Messages that are one line each, read from a stream. */
import type { Readable } from 'node:stream';

export interface LineLimit {
  /** Of a line, without its newline. */
  readonly mostCharacters: number;
  /** A line has become longer. Nothing is called back any more. */
  readonly onTooLong: () => void;
}

/** Calls back with each whole line that comes, without its newline. A line without a limit is for who is believed. */
export function onLines(stream: Readable, onLine: (line: string) => void, limit?: LineLimit): void {
  // Only what is new is looked through: a line that comes in many pieces costs no more than one that comes in one.
  let pending = '';
  let isOver = false;
  const isTooLong = (length: number): boolean => {
    if (limit === undefined || length <= limit.mostCharacters) return false;
    isOver = true;
    pending = '';
    limit.onTooLong();
    return true;
  };
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    if (isOver) return;
    let start = 0;
    for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', start)) {
      if (isTooLong(pending.length + end - start)) return;
      const line = pending + chunk.slice(start, end);
      pending = '';
      start = end + 1;
      onLine(line);
    }
    if (isTooLong(pending.length + chunk.length - start)) return;
    pending += chunk.slice(start);
  });
}
