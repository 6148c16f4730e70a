import { expect, test } from 'vitest';
import { parsePressure, readPressure, RESOURCES } from './pressure.ts';

test('the totals, in seconds', () => {
  const text =
    'some avg10=97.63 avg60=92.61 avg300=88.27 total=29854335225\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=500000\n';
  expect(parsePressure(text)).toEqual({ someSeconds: 29_854.335225, fullSeconds: 0.5 });
});

test('of the processor, older kernels say only in how much time some have waited', () => {
  expect(parsePressure('some avg10=0.00 avg60=0.00 avg300=0.00 total=2000000\n')).toEqual({
    someSeconds: 2,
    fullSeconds: null,
  });
});

test('something else is nothing', () => {
  expect(parsePressure('')).toBeNull();
  expect(parsePressure('some avg10=x')).toBeNull();
});

test('this machine can be read', () => {
  // A kernel without it says nothing.
  const seconds = RESOURCES.map((resource) => readPressure(resource)?.someSeconds ?? 0);
  expect(seconds.every((each) => each >= 0)).toBe(true);
});
