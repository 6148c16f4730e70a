import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { expect, test } from 'vitest';
import { kibibytes } from '../base/units.ts';
import { parseMeminfo, readMeminfo } from './meminfo.ts';

test('a real capture; SwapCached is not Cached', () => {
  expect(parseMeminfo(readFileSync(new URL('captures/meminfo', import.meta.url), 'utf8'))).toEqual({
    total: kibibytes(24_684_092),
    free: kibibytes(23_670_148),
    available: kibibytes(24_121_132),
    cached: kibibytes(574_856),
  });
});

test('this host can be read', () => {
  const memory = readMeminfo()!;
  expect(memory.total).toBe(totalmem());
  expect(memory.available).toBeLessThanOrEqual(memory.total);
});

test('anything else is null', () => {
  expect(parseMeminfo('MemTotal: many')).toBeNull();
});
