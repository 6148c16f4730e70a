/** What is done to the herd, in a random order that a seed repeats. Pure. */

export const DEED_KINDS = ['reload', 'refork', 'recycle', 'kill_worker', 'kill_mold', 'kill_supervisor'] as const;
export type DeedKind = (typeof DEED_KINDS)[number];
export type DeedCounts = Readonly<Record<DeedKind, number>>;

export interface Deed {
  readonly kind: DeedKind;
  /** Done while the one before it is still under way, this long after that one's beginning; null: after its end. */
  readonly intoPreviousMs: number | null;
  /** Picks one of the workers: 0 to 1. */
  readonly chance: number;
}

/** Part of the kills after a reload or a refork that come in its middle. */
const OVERLAPPING_PART = 0.4;
const LONGEST_INTO_MS = 1500;

/** Numbers from 0 to 1 that the seed decides: mulberry32 (Tommy Ettinger, public domain). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function planDeeds(counts: DeedCounts, random: () => number): Deed[] {
  const kinds = shuffled(
    DEED_KINDS.flatMap((kind) => Array.from({ length: counts[kind] }, () => kind)),
    random,
  );
  return kinds.map((kind, index) => {
    const previous = kinds[index - 1];
    const overlaps = isKill(kind) && (previous === 'reload' || previous === 'refork') && random() < OVERLAPPING_PART;
    return { kind, intoPreviousMs: overlaps ? random() * LONGEST_INTO_MS : null, chance: random() };
  });
}

/** One of `parts` shares of the counts, so that all together are the whole. */
export function shareOf(counts: DeedCounts, part: number, parts: number): DeedCounts {
  const share = (count: number): number => Math.floor((count + parts - 1 - part) / parts);
  return Object.fromEntries(DEED_KINDS.map((kind) => [kind, share(counts[kind])])) as DeedCounts;
}

function isKill(kind: DeedKind): boolean {
  return kind.startsWith('kill_');
}

/** Fisher and Yates. */
function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const chosen = Math.floor(random() * (last + 1));
    const item = result[last] as Item;
    result[last] = result[chosen] as Item;
    result[chosen] = item;
  }
  return result;
}
