import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tally } from './tally.ts';

const sent = { answered: [1, 2, 3], failed: [], imports: 0 };

test('everything once', () => {
  expect(tally(sent, ['2', '1', '3'])).toEqual({ sent: 3, delivered: 3, lost: 0, doubled: 0 });
});

test('one lost, another one twice: they do not make up for each other', () => {
  expect(tally(sent, ['1', '1', '3'])).toEqual({ sent: 3, delivered: 2, lost: 1, doubled: 1 });
});

test('what was never sent is one too many', () => {
  expect(tally(sent, ['1', '2', '3', 'span unknown'])).toMatchObject({ lost: 0, doubled: 1 });
});

test('a request that failed may have delivered, but once', () => {
  const withFailed = { ...sent, failed: [4, 5] };
  expect(tally(withFailed, ['1', '2', '3', '4'])).toEqual({ sent: 3, delivered: 3, lost: 0, doubled: 0 });
  expect(tally(withFailed, ['1', '2', '3', '4', '4'])).toMatchObject({ doubled: 1 });
});

test('each time that the application is loaded counts', () => {
  const twice = { ...sent, imports: 2 };
  expect(tally(twice, ['1', '2', '3', 'import', 'import'])).toMatchObject({ sent: 5, lost: 0, doubled: 0 });
  expect(tally(twice, ['1', '2', '3', 'import'])).toMatchObject({ lost: 1 });
  expect(tally(sent, ['1', '2', '3', 'import'])).toMatchObject({ doubled: 1 });
});

test('what is delivered and what is lost are what was sent, whatever comes', () => {
  const numbers = fc.uniqueArray(fc.nat({ max: 50 }));
  fc.assert(
    fc.property(numbers, fc.array(fc.nat({ max: 60 })), fc.nat({ max: 3 }), (answered, delivered, imports) => {
      const sum = tally({ answered, failed: [], imports }, delivered.map(String));
      expect(sum.sent).toBe(answered.length + imports);
      expect(sum.delivered + sum.lost).toBe(sum.sent);
      expect(sum.delivered + sum.doubled).toBe(delivered.length);
    }),
  );
});
