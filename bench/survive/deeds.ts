/** What is done to the herds, in a random order that a seed repeats. Pure. */

export const DEED_KINDS = [
  'reload',
  'refork',
  'recycle',
  'kill_worker',
  'kill_mold',
  'kill_supervisor',
  'stop_keeper',
  'kill_molds_in_reload',
  'fill_disk',
  'close_terminal',
  'lose_runtime_directory',
  'reload_to_bad_address',
  'reload_with_bad_backlog',
  'reload_without_venv',
  'reload_without_folder',
  'kill_mold_without_venv',
  'crowd',
  'slow_clients',
] as const;
export type DeedKind = (typeof DEED_KINDS)[number];
export type DeedCounts = Readonly<Record<DeedKind, number>>;

export interface Deed {
  readonly kind: DeedKind;
  /** Done while the one before it is still under way, this long after that one's beginning; null: after its end. */
  readonly intoPreviousMs: number | null;
  /** Picks one of the workers: 0 to 1. */
  readonly chance: number;
}

/** What may come in the middle of a rollout, and may end it. */
const KILLS: ReadonlySet<DeedKind> = new Set(['kill_worker', 'kill_mold', 'kill_supervisor']);
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
    const mayOverlap = KILLS.has(kind) && (previous === 'reload' || previous === 'refork');
    const overlaps = mayOverlap && random() < OVERLAPPING_PART;
    return { kind, intoPreviousMs: overlaps ? random() * LONGEST_INTO_MS : null, chance: random() };
  });
}

/**
 * How often each herd is done each deed to, so that all together are the counts: as evenly as can be, among the herds
 * that can have it done. Where that leaves some over, the seed decides which herds get them.
 *
 * @param without the deeds that can't be done, herd by herd
 */
export function shareOut(
  counts: DeedCounts,
  without: readonly (readonly DeedKind[])[],
  random: () => number,
): DeedCounts[] {
  const shares = without.map(() => Object.fromEntries(DEED_KINDS.map((kind) => [kind, 0])) as Record<DeedKind, number>);
  for (const kind of DEED_KINDS) {
    const able = shares.filter((_, herd) => without[herd]?.includes(kind) !== true);
    const first = Math.floor(random() * able.length);
    if (able.length === 0 && counts[kind] > 0) throw new Error(`no herd can have this done to it: ${kind}`);
    for (let given = 0; given < counts[kind]; given += 1) {
      const share = able[(first + given) % able.length];
      if (share !== undefined) share[kind] += 1;
    }
  }
  return shares;
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
