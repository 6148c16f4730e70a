import { expect, test } from 'vitest';
import { fuzzAttacks, lines, packets } from './fuzz.ts';

test('the same seed gives the same packets, another seed gives others', () => {
  expect(packets(7, 20)).toEqual(packets(7, 20));
  expect(packets(7, 20)).not.toEqual(packets(8, 20));
  expect(fuzzAttacks(7, 3).map(({ name }) => name)).toEqual([7, 8, 9].map((seed) => `generated packets, seed ${seed}`));
});

test('some packets are messages, some are not even JSON', () => {
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

test('lines contain no command that the herd must obey', () => {
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
