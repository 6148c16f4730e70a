import { describe, expect, it } from 'vitest';
import { DEED_KINDS, type DeedCounts, type DeedKind, planDeeds, randomFrom, shareOut } from './deeds.ts';

const counts: DeedCounts = {
  ...(Object.fromEntries(DEED_KINDS.map((kind) => [kind, 1])) as DeedCounts),
  reload: 7,
  refork: 3,
  recycle: 0,
  kill_worker: 5,
  kill_mold: 2,
};

describe('planDeeds', () => {
  it('does each deed as often as asked, and the same again from the same seed', () => {
    const plan = planDeeds(counts, randomFrom(1));
    for (const kind of DEED_KINDS) expect(plan.filter((deed) => deed.kind === kind)).toHaveLength(counts[kind]);
    expect(planDeeds(counts, randomFrom(1))).toEqual(plan);
    expect(planDeeds(counts, randomFrom(2)).map((deed) => deed.kind)).not.toEqual(plan.map((deed) => deed.kind));
  });

  it('lets kills, and nothing else, come in the middle of a reload or refork', () => {
    const plans = Array.from({ length: 200 }, (_, seed) => planDeeds(counts, randomFrom(seed)));
    const overlapping = new Set<DeedKind>();
    for (const plan of plans) {
      for (const [index, deed] of plan.entries()) {
        if (deed.intoPreviousMs === null) continue;
        overlapping.add(deed.kind);
        expect(['reload', 'refork']).toContain(plan[index - 1]?.kind);
      }
    }
    expect([...overlapping].toSorted()).toEqual(['kill_mold', 'kill_supervisor', 'kill_worker']);
  });
});

describe('shareOut', () => {
  it('divides the counts as evenly as can be, without losing one', () => {
    const shares = shareOut(counts, [[], [], []], randomFrom(1));
    for (const kind of DEED_KINDS) {
      expect(shares.reduce((sum, share) => sum + share[kind], 0)).toBe(counts[kind]);
    }
    expect(shares.map((share) => share.reload).toSorted()).toEqual([2, 2, 3]);
  });

  it('lets the seed decide who gets what is left over', () => {
    const withReload = (seed: number): number =>
      shareOut({ ...counts, reload: 1 }, [[], [], []], randomFrom(seed)).findIndex((share) => share.reload === 1);
    expect(new Set(Array.from({ length: 50 }, (_, seed) => withReload(seed)))).toEqual(new Set([0, 1, 2]));
    expect(withReload(7)).toBe(withReload(7));
  });

  it('does to no herd what can’t be done to it, and to the others all of it', () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const [able, unable, alsoAble] = shareOut(counts, [[], ['refork'], []], randomFrom(seed));
      expect(unable?.refork).toBe(0);
      expect((able?.refork ?? 0) + (alsoAble?.refork ?? 0)).toBe(3);
    }
    expect(() => shareOut(counts, [['refork']], randomFrom(1))).toThrow(/refork/);
    expect(shareOut({ ...counts, refork: 0 }, [['refork']], randomFrom(1))[0]?.refork).toBe(0);
  });
});
