/** When a heal has settled: examples and generated courses. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mebibytes } from '../../base/units.ts';
import { begin, follow, type HealProgress } from './heal-settled.ts';

/** Samples as pairs of passes and MiB merged; the first is from before the heal. */
function after(...samples: readonly [fullScans: number, mergedMib: number][]): HealProgress {
  const [first = { fullScans: 0, merged: mebibytes(0) }, ...rest] = samples.map(([fullScans, mib]) => ({
    fullScans,
    merged: mebibytes(mib),
  }));
  return rest.reduce(follow, begin(first));
}

test('not before the third pass, however little it brings', () => {
  expect(after([7, 0], [8, 0], [9, 0]).settled).toBe(false);
  expect(after([7, 0], [8, 0], [9, 0], [10, 0])).toMatchObject({ settled: true, scans: 3 });
});

test('not while a pass still brings a good part', () => {
  const course: [number, number][] = [
    [0, 0],
    [1, 0],
    [2, 200],
    [3, 290],
  ];
  expect(after(...course).settled).toBe(false);
  expect(after(...course, [4, 300]).settled).toBe(false);
  expect(after(...course, [4, 294]).settled).toBe(true);
});

test('samples within a pass decide nothing', () => {
  expect(after([0, 0], [1, 0], [2, 100], [2, 100], [2, 100]).settled).toBe(false);
});

test('passes between two samples count', () => {
  expect(after([0, 0], [2, 100], [5, 101])).toMatchObject({ settled: true, scans: 5 });
});

test('memory merged before the heal does not count', () => {
  // 2% of the 900 MiB would be 18.
  expect(after([0, 800], [1, 800], [2, 890], [3, 900]).settled).toBe(false);
});

test('pages that are written and copied again meanwhile delay nothing', () => {
  expect(after([0, 0], [1, 0], [2, 200], [3, 150]).settled).toBe(true);
});

test('every course settles once the merged memory stops growing, and stays settled', () => {
  const growth = fc.array(fc.integer({ min: -50, max: 400 }), { maxLength: 20 });
  fc.assert(
    fc.property(growth, (steps) => {
      let merged = 0;
      let progress = begin({ fullScans: 3, merged: mebibytes(0) });
      let scans = 3;
      const step = (mib: number): void => {
        merged = Math.max(0, merged + mib);
        scans += 1;
        const before = progress;
        progress = follow(progress, { fullScans: scans, merged: mebibytes(merged) });
        if (before.settled) expect(progress).toBe(before);
      };
      for (const mib of steps) step(mib);
      for (let quiet = 0; quiet < 3; quiet += 1) step(0);
      expect(progress.settled).toBe(true);
    }),
  );
});
