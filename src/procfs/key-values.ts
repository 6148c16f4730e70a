import { type Bytes, bytes, kibibytes } from '../base/units.ts';

/**
 * Lines such as `Rss:   1616 kB`, as /proc/PID/smaps_rollup and /proc/meminfo have them. What is no such line is
 * left out: the head of smaps_rollup, and the counts without a unit in meminfo.
 */
export function parseKilobyteLines(text: string): ReadonlyMap<string, Bytes> {
  const found = new Map<string, Bytes>();
  for (const [, key, value] of text.matchAll(/^([^\s:]+):\s+(\d+) kB$/gm)) {
    if (key !== undefined) found.set(key, kibibytes(Number(value)));
  }
  return found;
}

/** The value of a key, 0 where this kernel does not have it. */
export function bytesOf(values: ReadonlyMap<string, Bytes>, key: string): Bytes {
  return values.get(key) ?? bytes(0);
}
