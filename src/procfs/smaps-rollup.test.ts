import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { kibibytes } from '../base/units.ts';
import { parseSmapsRollup, readSmapsRollup } from './smaps-rollup.ts';

const capture = (name: string): string => readFileSync(new URL(`captures/${name}`, import.meta.url), 'utf8');

test('a real capture', () => {
  expect(parseSmapsRollup(capture('worker.smaps_rollup'))).toEqual({
    rss: kibibytes(131_964),
    pss: kibibytes(81717),
    sharedClean: kibibytes(3700),
    sharedDirty: kibibytes(95_968),
    privateClean: kibibytes(12),
    privateDirty: kibibytes(32_284),
    anonymous: kibibytes(128_252),
    swap: 0,
  });
});

test.each(['mold', 'worker-at-fork', 'worker'])('the parts of the capture "%s" add up to its RSS', (name) => {
  const rollup = parseSmapsRollup(capture(`${name}.smaps_rollup`))!;
  expect(rollup.sharedClean + rollup.sharedDirty + rollup.privateClean + rollup.privateDirty).toBe(rollup.rss);
  expect(rollup.pss).toBeLessThanOrEqual(rollup.rss);
});

test('a process without memory has no sums', () => {
  expect(parseSmapsRollup('')).toBeNull();
});

test('any text is parsed without an exception, into finite numbers', () => {
  const line = fc
    .tuple(fc.constantFrom('Rss', 'Pss', 'Anonymous', 'x'), fc.nat(), fc.constantFrom('kB', 'MB', ''))
    .map(([key, value, unit]) => `${key}: ${value} ${unit}`);
  fc.assert(
    fc.property(fc.array(fc.oneof(line, fc.string())), (lines) => {
      const rollup = parseSmapsRollup(lines.join('\n'));
      if (rollup !== null) for (const value of Object.values(rollup)) expect(Number.isFinite(value)).toBe(true);
    }),
  );
});

test('this process can be read, and one that does not exist is null', () => {
  expect(readSmapsRollup(process.pid)!.rss).toBeGreaterThan(1024 * 1024);
  expect(readSmapsRollup(2 ** 30)).toBeNull();
});
