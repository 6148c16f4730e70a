import { expect, test } from 'vitest';
import { whyNotReady } from './readiness.ts';
import { sampleWorker } from './samples/samples.ts';
import { initialState, type HerdState } from './state.ts';

function herd(changes: Partial<HerdState> = {}): HerdState {
  return {
    ...initialState(),
    phase: 'serving',
    target: 2,
    announcedReady: true,
    workers: { 11: sampleWorker(11, 0), 12: sampleWorker(12, 1, { phase: 'booting' }) },
    ...changes,
  };
}

test('a herd that serves is ready, also while a worker is replaced', () => {
  expect(whyNotReady(herd())).toBeNull();
});

test.each([
  [{ phase: 'starting' as const }, 'the herd is starting'],
  [{ phase: 'stopping' as const }, 'the herd is stopping'],
  [{ announcedReady: false }, '1 of 2 workers are ready for the first time'],
  [{ workers: { 12: sampleWorker(12, 1, { phase: 'draining' }) } }, 'no worker is ready'],
])('not with %j', (changes, why) => {
  expect(whyNotReady(herd(changes))).toBe(why);
});
