import { expect, test } from 'vitest';
import type { Metric } from './metric.ts';
import { NeverFalling } from './never-falling.ts';

const metric = (type: Metric['type'], value: number, slot = '0'): Metric => ({
  name: 'cowherd_of_test',
  type,
  help: 'Of a test.',
  labels: ['slot'],
  samples: [{ labels: { slot }, value }],
});

test('a counter keeps its highest value, each series its own', () => {
  const kept = new NeverFalling();
  const value = (each: Metric): number | undefined => kept.of([each])[0]?.samples[0]?.value;
  expect([5, 3, 0, 7].map((count) => value(metric('counter', count)))).toEqual([5, 5, 5, 7]);
  expect(value(metric('counter', 2, '1'))).toBe(2);
});

test('a gauge is left alone', () => {
  const kept = new NeverFalling();
  expect([5, 3].map((count) => kept.of([metric('gauge', count)])[0]?.samples[0]?.value)).toEqual([5, 3]);
});
