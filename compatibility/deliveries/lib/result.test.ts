import { expect, test } from 'vitest';
import { isGood, NOT_SERVED, sumOf, type Trial } from './result.ts';

const good: Trial = {
  requests: 600,
  failed: 0,
  failures: [],
  tally: { sent: 602, delivered: 602, lost: 0, doubled: 0 },
  reloaded: true,
  reforked: true,
  warnings: [],
  printed: ['a line'],
  problems: [],
};

test('the sum of two', () => {
  const warned = { ...good, warnings: [{ level: 'warning', text: 'N threads', times: 3 }] };
  expect(sumOf([good, warned])).toEqual({
    cases: 2,
    requests: 1200,
    failed: 0,
    sent: 1204,
    delivered: 1204,
    lost: 0,
    doubled: 0,
    warnings: 3,
    reloads: 2,
    reforks: 2,
    problems: 0,
  });
});

test('all is good', () => {
  expect(isGood(sumOf([good, good]))).toBe(true);
});

test.each<[string, Partial<Trial>]>([
  ['a failed request', { failed: 1 }],
  ['a loss', { tally: { sent: 602, delivered: 601, lost: 1, doubled: 0 } }],
  ['a second delivery', { tally: { sent: 602, delivered: 602, lost: 0, doubled: 1 } }],
  ['a warning', { warnings: [{ level: 'warning', text: 'threads', times: 1 }] }],
  ['no reload', { reloaded: false }],
  ['no refork', { reforked: false }],
  ['a problem', { problems: ['the stop took too long'] }],
])('%s is not good, in one case of two', (_, difference) => {
  expect(isGood(sumOf([good, { ...good, ...difference }]))).toBe(false);
});

test('nothing at all is not good', () => {
  expect(isGood(sumOf([]))).toBe(false);
  expect(isGood(sumOf([{ ...NOT_SERVED, problems: [] }]))).toBe(false);
});
