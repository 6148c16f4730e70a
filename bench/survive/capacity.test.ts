import { describe, expect, it } from 'vitest';
import { capacityOf, FILLED_WITHIN_MS, HEARD_OF_WITHIN_MS } from './capacity.ts';

/** Looks 100 ms apart. */
const looks = (...ready: number[]) => ready.map((each, index) => ({ atMs: index * 100, wanted: 3, ready: each }));
const deathAt = (atMs: number) => ({ fromMs: atMs - 5, toMs: atMs, fillableFromMs: atMs });

describe('capacityOf', () => {
  it('finds nothing while as many are ready as wanted, or more', () => {
    expect(capacityOf(looks(3, 4, 3), [])).toMatchObject({ belowMinimumMs: 0, gaps: [], longestUnseenMs: 100 });
  });

  it('counts the time that a worker was missing', () => {
    expect(capacityOf(looks(3, 2, 2, 3), [])).toMatchObject({ belowMinimumMs: 200 });
  });

  it('excuses one worker for each death, until the herd is full again', () => {
    const replaced = looks(3, 2, 2, 2, 3, 3);
    expect(capacityOf(replaced, [deathAt(50)])).toMatchObject({ belowMinimumMs: 0, slowestReplacementMs: 355 });
    expect(capacityOf(looks(3, 1, 2, 3), [deathAt(50)])).toMatchObject({ belowMinimumMs: 100 });
    expect(capacityOf(looks(3, 2, 2, 2, 3, 2), [deathAt(50)])).toMatchObject({ belowMinimumMs: 100 });
  });

  it('does not take a herd for full that has not heard of the death yet', () => {
    const heardLate = looks(4, 3, 2, 3, 3, 3);
    expect(HEARD_OF_WITHIN_MS).toBe(250);
    expect(capacityOf(heardLate, [deathAt(50)])).toMatchObject({ belowMinimumMs: 0, slowestReplacementMs: 255 });
  });

  it('excuses nothing before the death, nor long after it', () => {
    expect(capacityOf(looks(3, 2, 3), [deathAt(150)])).toMatchObject({ belowMinimumMs: 100 });
    const late = [
      { atMs: 0, wanted: 3, ready: 2 },
      { atMs: FILLED_WITHIN_MS, wanted: 3, ready: 2 },
      { atMs: FILLED_WITHIN_MS + 100, wanted: 3, ready: 2 },
    ];
    expect(capacityOf(late, [deathAt(0)])).toMatchObject({ belowMinimumMs: 100 });
  });

  it('excuses a worker that is wanted since a moment ago', () => {
    const scaled = [
      { atMs: 0, wanted: 3, ready: 3 },
      { atMs: 100, wanted: 4, ready: 3 },
      { atMs: 200, wanted: 4, ready: 4 },
    ];
    expect(capacityOf(scaled, [deathAt(50)]).belowMinimumMs).toBe(0);
    expect(capacityOf(scaled, []).belowMinimumMs).toBe(100);
  });

  it('lets no time pass while the place can’t be filled, and all of it afterwards', () => {
    const heldUntil = 20_000;
    const held = [
      { atMs: 0, wanted: 3, ready: 3 },
      { atMs: heldUntil, wanted: 3, ready: 2 },
      { atMs: heldUntil + FILLED_WITHIN_MS, wanted: 3, ready: 2 },
      { atMs: heldUntil + FILLED_WITHIN_MS + 100, wanted: 3, ready: 2 },
      { atMs: heldUntil + FILLED_WITHIN_MS + 200, wanted: 3, ready: 3 },
    ];
    const whileHeld = [{ ...deathAt(50), fillableFromMs: heldUntil }];
    expect(capacityOf(held, whileHeld)).toMatchObject({
      belowMinimumMs: 100,
      slowestReplacementMs: FILLED_WITHIN_MS + 200,
    });
  });
});
