import { expect, test } from 'vitest';
import { parsePerfVersion } from './perf-command.ts';

test('the version of different builds', () => {
  expect(parsePerfVersion('perf version 6.1.187\n')).toEqual([6, 1]);
  expect(parsePerfVersion('perf version 5.10.g0fd2e7a1\n')).toEqual([5, 10]);
  expect(parsePerfVersion('WARNING: perf not found for kernel 5.15.0-91\n')).toBeNull();
});
