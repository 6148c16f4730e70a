/** A worker's share of a jitter: constant for the worker, and spread evenly over workers. */

export interface JitterSeed {
  pid: number;
  slot: number;
  generation: number;
}

/** An integer from 0 to `most`, both included, like gunicorn's `randint(0, max_requests_jitter)`. */
export function jitterOf({ pid, slot, generation }: JitterSeed, most: number): number {
  let hash = mix(pid);
  hash = mix(hash ^ slot);
  hash = mix(hash ^ generation);
  return Math.floor((hash / 2 ** 32) * (most + 1));
}

/** The finalizer of MurmurHash3, which spreads neighbouring numbers over all 32 bits. */
function mix(value: number): number {
  let hash = (value + 0x9e37_79b9) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
