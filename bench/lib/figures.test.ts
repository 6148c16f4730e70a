import { expect, test } from 'vitest';
import { atLeast, atMost, formatFigure, judge } from './figures.ts';

test('a figure that meets its bound exactly has reached it', () => {
  const targets = [atMost('seconds', 0.5), atLeast('ratio', 1.1)];
  expect(judge({ seconds: 0.5, ratio: 1.1 }, targets).map((verdict) => verdict.reached)).toEqual([true, true]);
  expect(judge({ seconds: 0.51, ratio: 1.09 }, targets).map((verdict) => verdict.reached)).toEqual([false, false]);
});

test('what was not measured, or is no number, is not reached', () => {
  const verdicts = judge({ ratio: Number.NaN }, [atMost('seconds', 0.5), atLeast('ratio', 1)]);
  expect(verdicts.map((verdict) => verdict.reached)).toEqual([false, false]);
  expect(verdicts[0]?.measured).toBeUndefined();
});

test('figures are printed with as many digits as it takes to judge them', () => {
  expect(formatFigure(0.9496)).toBe('0.9496');
  expect(formatFigure(0.5)).toBe('0.5');
  expect(formatFigure(123.456)).toBe('123.5');
  expect(formatFigure(12_345.6)).toBe('12346');
});
