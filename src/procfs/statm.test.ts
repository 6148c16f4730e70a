import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseStatm, readStatm } from './statm.ts';

test('a real capture', () => {
  const text = readFileSync(new URL('captures/worker.statm', import.meta.url), 'utf8');
  expect(parseStatm(text)).toEqual({ resident: 32_991, residentOfFiles: 928, residentAnonymous: 32_063 });
});

test('this process can be read, and one that does not exist is null', () => {
  expect(readStatm(process.pid)!.resident).toBeGreaterThan(1000);
  expect(readStatm(2 ** 30)).toBeNull();
});

test('anything else is null', () => {
  expect(parseStatm('')).toBeNull();
  fc.assert(fc.property(fc.string(), (text) => parseStatm(`x${text}`) === null));
});
