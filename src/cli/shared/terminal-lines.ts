/** Lines of text that fit a terminal. Pure; escape sequences for colours take no room. */
import { stripVTControlCharacters } from 'node:util';

/** Columns that a line takes. */
export function widthOf(line: string): number {
  return stripVTControlCharacters(line).length;
}

/** The line broken between words; one word that is longer than a line is left whole. */
export function wrapped(line: string, columns: number): string[] {
  if (widthOf(line) <= columns) return [line];
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    const longer = current === '' ? word : `${current} ${word}`;
    if (current !== '' && widthOf(longer) > columns) {
      lines.push(current);
      current = word;
    } else {
      current = longer;
    }
  }
  return [...lines, current];
}

/** How many rows of the terminal these lines take, also where one is longer than a row. */
export function rowsOf(lines: readonly string[], columns: number): number {
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0);
}
