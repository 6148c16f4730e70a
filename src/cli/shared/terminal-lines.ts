/** Fits lines of text to a terminal. Escape sequences for colors take no columns. Pure. */
import stringWidth from 'string-width';

/** How many columns a line takes, as the tables count them too: a Chinese character or an emoji takes two. */
export function widthOf(line: string): number {
  return stringWidth(line);
}

/** Breaks a line between words. A word longer than a line is not broken. */
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

/** How many rows of the terminal these lines take; a long line takes several. */
export function rowsOf(lines: readonly string[], columns: number): number {
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0);
}
