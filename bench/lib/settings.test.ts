import { expect, test } from 'vitest';
import { settingFrom } from './settings.ts';

test('what is not set is the usual value', () => {
  expect(settingFrom({}, 'BENCH_ROUNDS', 3)).toBe(3);
  expect(settingFrom({ BENCH_ROUNDS: '' }, 'BENCH_ROUNDS', 3)).toBe(3);
});

test('what is set counts', () => {
  expect(settingFrom({ BENCH_ROUNDS: '5' }, 'BENCH_ROUNDS', 3)).toBe(5);
});

test.each(['0', '-1', '2.5', 'three', 'NaN', '1e400'])('"%s" is refused by name', (text) => {
  expect(() => settingFrom({ BENCH_ROUNDS: text }, 'BENCH_ROUNDS', 3)).toThrow('BENCH_ROUNDS');
});
