import { expect, test } from 'vitest';
import { policiesSource } from './policies.ts';

const rung = { name: 'freeze', needs: ['gil'], oldest: [3, 10], guard_holds: ['unfreeze'] };

test('a rung has its needs and versions, and nothing of the guard', () => {
  const source = policiesSource(JSON.stringify({ requirements: { gil: 'the GIL' }, ladder: [rung] }));
  expect(source).toContain('[{"name":"freeze","needs":["gil"],"oldest":[3,10],"newest":null}]');
  expect(source).not.toContain('unfreeze');
});

test('a need without a reason is refused', () => {
  expect(() => policiesSource(JSON.stringify({ requirements: {}, ladder: [rung] }))).toThrow('no reason for gil');
});
