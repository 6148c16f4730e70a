import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseStat, readStat } from './stat.ts';

const capture = (name: string): string => readFileSync(new URL(`captures/${name}.stat`, import.meta.url), 'utf8');

test('a real capture', () => {
  expect(parseStat(capture('worker'))).toEqual({
    pid: 20_446,
    name: 'python3',
    state: 'R',
    parentPid: 20_404,
    session: 11_045,
    minorFaults: 8250,
    majorFaults: 0,
    userTime: 1,
    systemTime: 2,
    threads: 1,
    startTime: 278_640,
    resident: 32_957,
  });
});

test('a name with spaces and parentheses does not shift the fields', () => {
  expect(parseStat(capture('name-with-parentheses'))).toMatchObject({
    name: 'a) R (b c',
    state: 'R',
    parentPid: 20_404,
    minorFaults: 8292,
    startTime: 278_640,
  });
});

test('the other fields are found after any name', () => {
  const capturedTail = capture('worker').split(') ')[1]!;
  fc.assert(
    fc.property(fc.string({ maxLength: 15 }), (name) => {
      const stat = parseStat(`7 (${name}) ${capturedTail}`);
      expect(stat).toMatchObject({ pid: 7, name, parentPid: 20_404, startTime: 278_640 });
    }),
  );
});

test('a truncated text gives null, never a partial result', () => {
  const text = capture('worker');
  fc.assert(
    fc.property(fc.nat({ max: 100 }), (length) => {
      const stat = parseStat(text.slice(0, length));
      if (stat !== null) expect(Object.values(stat)).not.toContain(Number.NaN);
    }),
  );
  expect(parseStat('')).toBeNull();
  expect(parseStat('12 (name')).toBeNull();
});

test('this process can be read, and one that does not exist is null', () => {
  expect(readStat(process.pid)).toMatchObject({ pid: process.pid, parentPid: process.ppid });
  expect(readStat(2 ** 30)).toBeNull();
});
