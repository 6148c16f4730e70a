import { expect, test } from 'vitest';
import { collectorCaller, withCall, type GuardCall } from './guard-calls.ts';

const message = {
  type: 'guard',
  function: 'collect',
  package: 'shop',
  file: '/srv/shop/jobs.py',
  line: 7,
  held: false,
} as const;

test('each call site is kept once, with its number of workers', () => {
  const once = withCall([], message);
  expect(withCall(once, message)).toEqual([
    { function: 'collect', package: 'shop', file: '/srv/shop/jobs.py', line: 7, held: false, workers: 2 },
  ]);
  expect(once[0]?.workers).toBe(1);
  expect(withCall(once, { ...message, line: 8 })).toHaveLength(2);
});

test('no more than 32 call sites are kept', () => {
  let calls: GuardCall[] = [];
  for (let line = 1; line <= 40; line += 1) calls = withCall(calls, { ...message, line });
  expect(calls).toHaveLength(32);
});

test('the call that makes the collector run is named, unless it was held off', () => {
  expect(collectorCaller(withCall([], message))).toBe('gc.collect() of shop (/srv/shop/jobs.py:7)');
  expect(collectorCaller(withCall([], { ...message, held: true }))).toBeNull();
  expect(collectorCaller(withCall([], { ...message, function: 'disable' }))).toBeNull();
});
