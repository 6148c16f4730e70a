import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  bytes,
  clockTicks,
  formatCount,
  formatDuration,
  formatMiB,
  formatMiBNumber,
  kibibytes,
  mebibytes,
  milliseconds,
  nanoseconds,
  nanosecondsToMilliseconds,
  pages,
  pagesToBytes,
  percentOfCore,
  ticksToSeconds,
} from './units.ts';

test('constructors convert to the base unit', () => {
  expect(kibibytes(3)).toBe(3072);
  expect(mebibytes(2)).toBe(2_097_152);
  expect(pagesToBytes(pages(3), bytes(4096))).toBe(12_288);
  expect(ticksToSeconds(clockTicks(250), 100)).toBe(2.5);
  expect(nanosecondsToMilliseconds(nanoseconds(1_234_567_890_123n))).toBe(1_234_567.89);
  expect(percentOfCore(1)).toBe(0.01);
});

test.each([
  [0, '0.0 MiB'],
  [266_653_696, '254.3 MiB'],
  [-1_048_576, '-1.0 MiB'],
  [1_048_576 * 999.96, '1,000 MiB'],
  [1_048_576 * 1532, '1,532 MiB'],
])('%d bytes are %s', (value, text) => {
  expect(formatMiB(bytes(value))).toBe(text);
  expect(`${formatMiBNumber(bytes(value))} MiB`).toBe(text);
});

test.each([
  [0, '0'],
  [999, '999'],
  [1000, '1,000'],
  [-1_234_567, '-1,234,567'],
  [1234.5678, '1,234.5678'],
])('%d is formatted as %s', (value, text) => {
  expect(formatCount(value)).toBe(text);
});

test.each([
  [0, '0 ms'],
  [0.42, '0.4 ms'],
  [9.96, '10 ms'],
  [340.4, '340 ms'],
  [999.6, '1.0 s'],
  [2100, '2.1 s'],
  [9960, '10 s'],
  [42_400, '42 s'],
  [59_600, '1 min'],
  [252_000, '4 min 12 s'],
  [3_600_000, '1 h'],
  [3_661_000, '1 h 1 min'],
  [277_200_000, '3 d 5 h'],
  [-5000, '-5.0 s'],
])('%d ms are %s', (value, text) => {
  expect(formatDuration(milliseconds(value))).toBe(text);
});

test('a duration never shows a unit that has overflowed', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e12, noNaN: true }), (value) => {
      const text = formatDuration(milliseconds(value));
      expect(text).not.toMatch(/\b(60 s|60 min|24 h|1000 ms)/);
    }),
  );
});
