import pc from 'picocolors';
import { expect, test } from 'vitest';
import { rowsOf, widthOf, wrapped } from './terminal-lines.ts';

const colors = pc.createColors(true);

test.each([
  ['plain text', 'worker 4711', 11],
  ['nothing', '', 0],
  ['a colour', colors.bold(colors.red('4711')), 4],
  ['wide characters', '数据.模型', 9],
  ['an emoji', '🐄', 2],
  ['a letter and its accent', 'e\u0301', 1],
])('%s has the width that a terminal gives it', (_, line, columns) => {
  expect(widthOf(line)).toBe(columns);
});

test('a line is broken where it would be too wide', () => {
  expect(wrapped('one two three', 20)).toEqual(['one two three']);
  expect(wrapped('one two three', 7)).toEqual(['one two', 'three']);
  expect(wrapped('数据 模型 数据', 9)).toEqual(['数据 模型', '数据']);
  expect(wrapped('a-word-that-is-too-long x', 5)).toEqual(['a-word-that-is-too-long', 'x']);
});

test('a line of wide characters takes the rows that a terminal needs', () => {
  expect(rowsOf(['', 'x'.repeat(20), 'x'.repeat(21), '数'.repeat(11)], 20)).toBe(1 + 1 + 2 + 2);
});
