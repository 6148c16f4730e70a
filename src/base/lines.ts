/** Reads messages from a stream, one per line. */
import type { Readable } from 'node:stream';

export interface LineLimit {
  /** The length of a line, without its newline. */
  readonly mostCharacters: number;
  /** Called when a line is longer; no line is called back after that. */
  readonly onTooLong: () => void;
}

/** Calls back with each complete line, without its newline. Omit the limit only for a trusted sender. */
export function onLines(stream: Readable, onLine: (line: string) => void, limit?: LineLimit): void {
  // Only new data is searched: a line in many pieces costs no more than a line in one.
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
