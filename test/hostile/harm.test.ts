import { expect, test } from 'vitest';
import { EVIL, EVIL_NAME, harmOf, shows, steers } from './harm.ts';

const ran = { status: 0, output: '', peakBytes: 0 };

test.each([
  ['an escape sequence', '\u001B]0;x\u0007', /steers/],
  ['a cleared screen', 'a\u001B[2J', /steers/],
  ['a C1 control', '\u009B31m', /steers/],
  ['a turned reading order', 'a\u202Eb', /steers/],
  ['the evil name', EVIL_NAME, /steers/],
  ['a forged line', 'x\n[CRITICAL] forged', /line that is not its own/],
])('%s steers', (_what, text, harm) => {
  expect(steers(text)).toMatch(harm);
  expect(harmOf('why', { ...ran, output: text })).toEqual([expect.stringMatching(harm)]);
});

test('colors, rewritten lines and escaped text do not', () => {
  const escaped = EVIL.replaceAll('\u001B', String.raw`\x1b`)
    .replaceAll('\u0007', String.raw`\x07`)
    .replaceAll('\u202E', String.raw`\u{202e}`)
    .replaceAll('\n', String.raw`\n`);
  const text = `\u001B[31mError\u001B[39m\r\n\rReading\u001B[K\r\u001B[K${escaped}\n`;
  expect(steers(text)).toBeNull();
  expect(shows(text)).toBe(true);
  expect(shows(JSON.stringify(EVIL))).toBe(true);
  expect(shows('nothing of it')).toBe(false);
  expect(harmOf('why', { ...ran, output: text })).toEqual([]);
});

test('a command that does not end, takes too much memory or breaks is harm', () => {
  expect(harmOf('list', { ...ran, status: null })).toEqual(['list did not end']);
  expect(harmOf('list', { ...ran, peakBytes: 2 ** 30 })).toEqual(['list took 1024 MiB']);
  expect(harmOf('list', { ...ran, status: 1, output: 'Error INTERNAL: x' })).toEqual([expect.stringMatching(/broke/)]);
  expect(harmOf('list', { ...ran, status: 30, output: 'Error NOT_RUNNING: x' })).toEqual([]);
});
