import { type Bytes, bytes, kibibytes } from '../base/units.ts';

/**
 * Parses lines such as `Rss:   1616 kB` of /proc/PID/smaps_rollup and /proc/meminfo. Skips other lines: the head of
 * smaps_rollup, and counts without a unit in meminfo.
 */
export function parseKilobyteLines(text: string): ReadonlyMap<string, Bytes> {
  const found = new Map<string, Bytes>();
  for (const [, key, value] of text.matchAll(/^([^\s:]+):\s+(\d+) kB$/gm)) {
    if (key !== undefined) found.set(key, kibibytes(Number(value)));
  }
  return found;
}

/** The value of a key; 0 if this kernel does not have it. */
export function bytesOf(values: ReadonlyMap<string, Bytes>, key: string): Bytes {
  return values.get(key) ?? bytes(0);
}
