import { expect, test } from 'vitest';
import { fuzzAttacks, lines, packets } from './fuzz.ts';

test('a seed gives the same packets again, and another one others', () => {
  expect(packets(7, 20)).toEqual(packets(7, 20));
  expect(packets(7, 20)).not.toEqual(packets(8, 20));
  expect(fuzzAttacks(7, 3).map(({ name }) => name)).toEqual([7, 8, 9].map((seed) => `generated packets, seed ${seed}`));
});

test('some of them are messages, some are no JSON at all', () => {
  const kinds = new Set(
    packets(1, 200).map((packet) => {
      try {
        const parsed: unknown = JSON.parse(packet);
        return typeof parsed === 'object' && parsed !== null && 'type' in parsed ? 'message' : 'JSON';
      } catch {
        return 'nothing';
      }
    }),
  );
  expect(kinds).toEqual(new Set(['message', 'JSON', 'nothing']));
});

test('nothing that the owner of a herd rightly says', () => {
  const types = lines(3, 300).map((line) => {
    try {
      return (JSON.parse(line) as { type?: unknown } | null)?.type;
    } catch {
      return undefined;
    }
  });
  expect(types).toContain('status');
  expect(types).not.toContain('scale');
});
