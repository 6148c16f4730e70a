/** What a log looks like; apart from the logger, which is slower to load. */

export type LogFormat = 'text' | 'json';

/** What a log on this stream should look like: readable on a terminal, JSON otherwise. */
export function logFormatFor(stream: { readonly isTTY?: boolean }): LogFormat {
  return stream.isTTY ? 'text' : 'json';
}
