import { describe, expect, it } from 'vitest';
import { DEED_KINDS, type DeedCounts, planDeeds, randomFrom, shareOf } from './deeds.ts';

const counts: DeedCounts = { reload: 7, refork: 3, recycle: 0, kill_worker: 5, kill_mold: 2, kill_supervisor: 1 };

describe('planDeeds', () => {
  it('does each deed as often as asked, and the same again from the same seed', () => {
    const plan = planDeeds(counts, randomFrom(1));
    for (const kind of DEED_KINDS) expect(plan.filter((deed) => deed.kind === kind)).toHaveLength(counts[kind]);
    expect(planDeeds(counts, randomFrom(1))).toEqual(plan);
    expect(planDeeds(counts, randomFrom(2)).map((deed) => deed.kind)).not.toEqual(plan.map((deed) => deed.kind));
  });

  it('lets kills, and nothing else, come in the middle of a reload or refork', () => {
    const plans = Array.from({ length: 50 }, (_, seed) => planDeeds(counts, randomFrom(seed)));
    let overlapping = 0;
    for (const plan of plans) {
      for (const [index, deed] of plan.entries()) {
        if (deed.intoPreviousMs === null) continue;
        overlapping += 1;
        expect(deed.kind).toMatch(/^kill_/);
        expect(['reload', 'refork']).toContain(plan[index - 1]?.kind);
      }
    }
    expect(overlapping).toBeGreaterThan(0);
  });
});

describe('shareOf', () => {
  it('divides the counts without losing one', () => {
    const shares = [0, 1, 2].map((part) => shareOf(counts, part, 3));
    for (const kind of DEED_KINDS) {
      expect(shares.reduce((sum, share) => sum + share[kind], 0)).toBe(counts[kind]);
    }
    expect(shares.map((share) => share.reload)).toEqual([3, 2, 2]);
  });
});
