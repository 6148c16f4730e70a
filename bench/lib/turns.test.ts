import { expect, test } from 'vitest';
import { turns } from './turns.ts';

const order = (arms: string[], rounds: number): string =>
  turns(arms, rounds)
    .map(({ arm }) => arm)
    .join('');

test('every arm once a round, the first place going round', () => {
  expect(order(['a', 'b', 'c'], 4)).toBe('abcbcacababc');
  expect(turns(['a', 'b'], 2).map(({ round }) => round)).toEqual([0, 0, 1, 1]);
});

test('no arm and no round are nothing', () => {
  expect(turns([], 3)).toEqual([]);
  expect(turns(['a'], 0)).toEqual([]);
});
