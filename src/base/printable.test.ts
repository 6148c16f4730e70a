import fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapeInJson, printable, printableIn, printableJson, printableLines } from './printable.ts';

/**
 * Whether a text could mislead a terminal or a reader: tested by code point, independently of the pattern that escapes
 * it.
 */
function steers(text: string): boolean {
  return Array.from(text).some((character) => {
    const code = character.codePointAt(0) ?? 0;
    return (
      code < 0x20 ||
      (code >= 0x7f && code < 0xa0) ||
      (code >= 0xd800 && code < 0xe000) ||
      (code >= 0x200b && code <= 0x200f) ||
      (code >= 0x2028 && code <= 0x202e) ||
      (code >= 0x2066 && code <= 0x2069) ||
      [0xad, 0x61c, 0x2060, 0xfeff].includes(code) ||
      (code >= 0xe0000 && code <= 0xe007f)
    );
  });
}

test.each([
  ['a title and reverse video', '\u001B]0;PWN\u0007\u001B[7m', String.raw`\x1b]0;PWN\x07\x1b[7m`],
  ['a file that clears the screen', 'lib\u001B[2JEVIL', String.raw`lib\x1b[2JEVIL`],
  ['a second line of the log', 'a\n[2026-11-28] [CRITICAL] b', String.raw`a\n[2026-11-28] [CRITICAL] b`],
  ['CSI in one character', '\u009B31m', String.raw`\x9b31m`],
  ['text that reads backwards', 'a\u202Egpj.exe', String.raw`a\u{202e}gpj.exe`],
  ['isolates and marks', '\u2066\u2069\u200F\u061C', String.raw`\u{2066}\u{2069}\u{200f}\u{61c}`],
  ['what has no width', 'a\u200B\uFEFFb', String.raw`a\u{200b}\u{feff}b`],
  ['other line ends', '\r\u2028\u2029\u0085', String.raw`\r\u{2028}\u{2029}\x85`],
  ['half of a pair', '\uD800x', String.raw`\u{d800}x`],
])('%s is shown and does nothing', (_what, text, shown) => {
  expect(printable(text)).toBe(shown);
});

test('ordinary text stays unchanged', () => {
  for (const text of ['läden:app', 'مرحبا', '日本語', String.raw`C:\new`, '…—“”', '🐄', '']) {
    expect(printable(text)).toBe(text);
  }
});

test('no control character is left, however it gets there', () => {
  const anything = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) });
  fc.assert(
    fc.property(anything, (text) => {
      expect(steers(printable(text))).toBe(false);
      expect(printableLines(text).split('\n').some(steers)).toBe(false);
      expect(steers(printable(JSON.stringify(printableIn({ [text]: [text, { text }] }))))).toBe(false);
      const json = printableJson({ [text]: [text] });
      expect(steers(json)).toBe(false);
      expect(JSON.parse(json)).toEqual({ [text]: [text] });
      expect(printableIn({ [text]: text })).toEqual({ [printable(text)]: printable(text) });
    }),
  );
});

test('further lines are indented, and indented ones stay', () => {
  expect(printableLines('Worker died\nCurrent thread:\n  File "x"\n\u001B[1m')).toBe(
    String.raw`Worker died
  Current thread:
  File "x"
  \x1b[1m`,
  );
});

test('in data only texts are changed', () => {
  const at = new Date(0);
  expect(printableIn({ a: 1, b: [true, null, '\u001B'], c: { '\n': undefined }, at })).toEqual({
    a: 1,
    b: [true, null, String.raw`\x1b`],
    c: { [String.raw`\n`]: undefined },
    at,
  });
});

test('the layout of JSON stays', () => {
  expect(printableJson({ a: '\u009B' }, 2)).toBe('{\n  "a": "\\u009b"\n}');
  expect(escapeInJson('{"a":"\u{E0041}"}')).toBe(String.raw`{"a":"\udb40\udc41"}`);
});
