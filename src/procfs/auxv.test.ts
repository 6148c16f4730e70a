import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { kernelUnits, parseAuxv } from './auxv.ts';

test('a real capture', () => {
  const hex = readFileSync(new URL('captures/auxv-x86_64.hex', import.meta.url), 'latin1');
  expect(parseAuxv(Buffer.from(hex.trim(), 'hex'), 'LE')).toEqual({ pageSize: 4096, ticksPerSecond: 100 });
});

test('other values are read, and a missing or cut vector gives the usual ones', () => {
  const entries = Buffer.alloc(40);
  entries.writeBigUInt64BE(6n, 0);
  entries.writeBigUInt64BE(65_536n, 8);
  entries.writeBigUInt64BE(17n, 16);
  entries.writeBigUInt64BE(1024n, 24);
  expect(parseAuxv(entries, 'BE')).toEqual({ pageSize: 65_536, ticksPerSecond: 1024 });
  expect(parseAuxv(entries.subarray(0, 20), 'BE')).toEqual({ pageSize: 65_536, ticksPerSecond: 100 });
  expect(parseAuxv(Buffer.alloc(0))).toEqual({ pageSize: 4096, ticksPerSecond: 100 });
});

test('the units of this kernel agree with getconf', () => {
  const getconf = (name: string): number => Number(execFileSync('getconf', [name], { encoding: 'utf8' }));
  expect(kernelUnits()).toEqual({ pageSize: getconf('PAGESIZE'), ticksPerSecond: getconf('CLK_TCK') });
});
