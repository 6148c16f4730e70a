import { expect, test } from 'vitest';
import { whyNotReady } from './readiness.ts';
import { sampleWorker } from '../samples/samples.ts';
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

test('a serving herd is ready, also while a worker is replaced', () => {
  expect(whyNotReady(herd(), 1)).toBeNull();
});

test('a herd is not ready when all its workers have ended, even if their ends are not reported yet', () => {
  expect(whyNotReady(herd(), 0)).toBe('no worker is ready');
});

test.each([
  [{ phase: 'starting' as const }, 'the herd is starting'],
  [{ phase: 'stopping' as const }, 'the herd is stopping'],
  [{ announcedReady: false }, '1 of 2 workers are ready for the first time'],
])('a herd is not ready with %j', (changes, why) => {
  expect(whyNotReady(herd(changes), 1)).toBe(why);
});
