import { release } from 'node:os';
import { expect, test } from 'vitest';
import { parseCapabilities, parseRelease, parseSelected, readKernelFacts } from './kernel.ts';

test('effective capabilities, not the permitted ones', () => {
  const none = { sysPtrace: false, sysAdmin: false, perfmon: false };
  expect(parseCapabilities('CapPrm:\t000001ffffffffff\nCapEff:\t0000000000000000\n')).toEqual(none);
  expect(parseCapabilities('CapEff:\t0000000000080000\n')).toEqual({ ...none, sysPtrace: true });
  expect(parseCapabilities('CapEff:\t0000004000200000\n')).toEqual({
    sysPtrace: false,
    sysAdmin: true,
    perfmon: true,
  });
  expect(parseCapabilities('')).toEqual(none);
});

test('the selected word', () => {
  expect(parseSelected('always [madvise] never\n')).toBe('madvise');
  expect(parseSelected('nothing')).toBeNull();
});

test.each([
  ['6.18.44-custom', [6, 18]],
  ['5.15.0', [5, 15]],
  ['4.4', [4, 4]],
  ['odd', [0, 0]],
])('release %s', (text, version) => {
  expect(parseRelease(text)).toEqual(version);
});

test('the facts of this kernel can be read', () => {
  const facts = readKernelFacts();
  expect(facts.release).toBe(release());
  expect(facts.smapsRollup).toBe(true);
});
