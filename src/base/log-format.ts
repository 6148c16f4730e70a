/** The format of a log; separate from the logger, which is slower to load. */

export type LogFormat = 'text' | 'json';

/** The format for a log on this stream: readable on a terminal, JSON otherwise. */
export function logFormatFor(stream: { readonly isTTY?: boolean }): LogFormat {
  return stream.isTTY ? 'text' : 'json';
}
